Feature: Function: `map`
  Runs a workflow for each item of a list, several at a time. What one fails with is raised, or stands in its place.

  Scenario: outputs in the order of the items
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-map, version: '1.0.0' }
    do:
      - each: { call: map, with: { in: [ 1, 2, 3 ], workflow: { namespace: profile, name: function-map-child, version: 1.0.0 }, concurrency: 2 } }
    """
    And given a workflow that it may run:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-map-child, version: '1.0.0' }
    do:
      - double: { set: '${ . * 2 }' }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    [ 2, 4, 6 ]
    """
