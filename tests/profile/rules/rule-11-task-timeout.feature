Feature: Rule 11: the timeout of a task covers all of it, retries and catch included
  The timeout of a task begins when the task is entered and covers all of its activation, retries and `catch` included; `retry.limit.attempt.duration`
  is the time of a single attempt. It raises the standard `timeout` error at the task, which only a `try` around the task can take. A result is known
  by its job and generation: one from an earlier attempt of the same generation counts while the activation runs, and is ignored after it has ended.

  Scenario: an enclosing try catches it
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-11
      version: '1.0.0'
    do:
      - attempt:
          try: [ { slow: { timeout: { after: { milliseconds: 50 } }, wait: PT20S } } ]
          catch:
            errors: { with: { type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout, status: 408 } }
            do: [ { mend: { set: { at: '${ $error.instance }' } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    at: /do/0/attempt/try/0/slow
    """

  Scenario: the try that it ends does not catch it, and its retries count
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-11
      version: '1.0.0'
    do:
      - attempt:
          timeout: { after: { milliseconds: 80 } }
          try: [ { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
          catch:
            retry: { delay: PT20S }
            do: [ { never: { set: { n: 1 } } } ]
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    instance: /do/0/attempt
    """
    And never should not run

  Scenario: the timeout of the workflow faults it
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-11
      version: '1.0.0'
    timeout: { after: { milliseconds: 50 } }
    do:
      - slow: { wait: PT20S }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout
    status: 408
    """
