Feature: Function: `review`
  Asks a person, and waits for the decision.

  Scenario: what a person decided
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-review, version: '1.0.0' }
    do:
      - ask: { call: review, with: { title: Refund it?, subject: { amount: 5 } } }
      - tell: { set: { outcome: "${ .outcome }" } }
    """
    When the workflow is executed
    And once ask has begun, a person decides:
    """yaml
    outcome: approved
    """
    Then the workflow should complete with output:
    """yaml
    outcome: approved
    """
