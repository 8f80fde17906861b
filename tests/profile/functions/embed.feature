Feature: Function: `embed`
  Turns texts into vectors.

  Scenario: one vector for each text, in their order
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-embed, version: '1.0.0' }
    do:
      - embed: { call: embed, with: { texts: [ one, two ] } }
      - tell: { set: { vectors: "${ .embeddings | length }", numbers: "${ .embeddings[0] | all(type == \"number\") }" } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    vectors: 2
    numbers: true
    """
