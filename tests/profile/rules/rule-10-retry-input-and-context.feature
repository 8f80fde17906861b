Feature: Rule 10: a retry begins with the input of the `try`; the context stays
  A retried `try` enters its first task with the input that the `try` had. What was exported to `$context` before the error is kept: it is not rolled
  back.

  Scenario: a retry does not see what the try before it made
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-10
      version: '1.0.0'
    do:
      - attempt:
          try:
            - add: { set: { n: '${ .n + 1 }' }, export: { as: '{ tries: (($context.tries // 0) + 1) }' } }
            - fail: { if: $context.tries < 3, raise: { error: { type: https://example.com/errors/broken, status: 500 } } }
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 5 } } }
      - tell: { set: { n: '${ .n }', tries: '${ $context.tries }' } }
    """
    And given the workflow input is:
    """yaml
    n: 0
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 1
    tries: 3
    """
