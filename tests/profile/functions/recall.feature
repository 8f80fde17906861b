Feature: Function: `recall`
  Finds what was remembered, with provenance and trust.

  Scenario: what was remembered in the same scope
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-recall, version: '1.0.0' }
    do:
      - keep: { call: remember, with: { scope: customer/recall, text: likes green tea } }
      - find: { call: recall, with: { scope: customer/recall, query: tea, limit: 5 } }
      - tell: { set: { texts: "${ [.items[].text] }" } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    texts: [ likes green tea ]
    """
