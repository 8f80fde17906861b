Feature: Task: `listen`
  Waits for events.

  Scenario: an attribute that is an expression must be equal
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-listen, version: '1.0.0' }
    do:
      - hear: { listen: { to: { one: { with: { type: paid, subject: "${ .order }" } } }, read: envelope } }
      - tell: { set: { subject: "${ .[0].subject }" } }
    """
    And given the workflow input is:
    """yaml
    order: o-1
    """
    When the workflow is executed
    And once hear has begun, this event is sent to it:
    """yaml
    type: paid
    subject: o-2
    """
    And this event is sent to it:
    """yaml
    type: paid
    subject: o-1
    """
    Then the workflow should complete with output:
    """yaml
    subject: o-1
    """
