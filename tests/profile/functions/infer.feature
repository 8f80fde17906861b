Feature: Function: `infer`
  Asks a model. Its output is text, or a value that fits the schema.

  Scenario: text of a simulated model
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-infer, version: '1.0.0' }
    do:
      - say: { call: infer, with: { prompt: 'Greet me. [[turns: [{"answer": {"content": "hello"}}]]]' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    hello
    """

  Scenario: a value that fits the schema
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-infer, version: '1.0.0' }
    do:
      - say: { call: "infer:1.0.0@default", with: { prompt: 'How is it? [[turns: [{"answer": {"json": {"mood": "good"}}}]]]', schema: { type: object, required: [mood], properties: { mood: { type: string } } } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mood: good
    """
