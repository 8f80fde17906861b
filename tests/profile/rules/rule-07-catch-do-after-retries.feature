Feature: Rule 7: retries come first, `catch.do` once after them
  A `catch` with `retry` tries again while it may. Its `do` runs once, when retries are used up or not allowed, and its output is then that of the
  `try`. An error inside the `do` is not the business of its own `try`.

  Scenario: do runs once, after the last retry
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-07
      version: '1.0.0'
    do:
      - attempt:
          try: [ { mark: { set: { n: 1 } } }, { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
          catch:
            retry: { delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } }
            do: [ { mend: { set: { mended: true } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mended: true
    """
    And mark should run 3 times
    And mend should run 1 times

  Scenario: do runs at once for an error that is not to be tried again
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-07
      version: '1.0.0'
    do:
      - attempt:
          try: [ { mark: { set: { n: 1 } } }, { fail: { raise: { error: { type: https://example.com/errors/broken, status: 400 } } } } ]
          catch:
            retry: { when: $error.status >= 500, delay: { milliseconds: 1 }, limit: { attempt: { count: 2 } } }
            do: [ { mend: { set: { mended: true } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mended: true
    """
    And mark should run 1 times
