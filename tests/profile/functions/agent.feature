Feature: Function: `agent`
  Lets a model work in turns, with tools. Every turn and every call is a durable step of its own.

  Scenario: a turn that calls a tool and one that answers
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-agent, version: '1.0.0' }
    do:
      - find:
          call: agent
          with:
            instructions: Find the pet.
            tools: [find-pet]
            prompt: 'Which pet is it? [[turns: [{"answer": {"toolCalls": [{"name": "find-pet", "arguments": {"id": 1}}]}}, {"answer": {"content": "it is pet 1"}}]]]'
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    it is pet 1
    """
