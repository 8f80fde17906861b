Feature: Function: `remember`
  Stores an item, with where it came from.

  Scenario: the stored item has an id and a trust level
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-remember, version: '1.0.0' }
    do:
      - keep: { call: remember, with: { scope: customer/remember, text: likes tea } }
      - tell: { set: { id: "${ (.id // .item.id) | type }" } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    id: string
    """
