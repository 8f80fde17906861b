Feature: Rule 8: a count of retries is what follows the first try
  `limit.attempt.count` counts retries, after the first try. Without a limit the server's cap holds. Linear backoff waits n times the delay before
  retry n, exponential 2^(n-1) times. Jitter is drawn once a retry, from what names it, so that every replica draws the same, and it is journalled
  with the timer.

  Scenario: a count of three is four tries
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-08
      version: '1.0.0'
    do:
      - attempt:
          try: [ { mark: { set: { n: 1 } } }, { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
          catch:
            retry: { delay: { milliseconds: 1 }, backoff: { exponential: {} }, jitter: { from: { milliseconds: 0 }, to: { milliseconds: 2 } }, limit: { attempt: { count: 3 } } }
            do: [ { give-up: { set: { tries: over } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    tries: over
    """
    And mark should run 4 times

  Scenario: limit.duration ends the retries though some are left
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-08
      version: '1.0.0'
    do:
      - attempt:
          try: [ { mark: { set: { n: 1 } } }, { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ]
          catch:
            retry: { delay: { milliseconds: 400 }, limit: { attempt: { count: 50 }, duration: { milliseconds: 600 } } }
            do: [ { give-up: { set: { tries: over } } } ]
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    tries: over
    """
    And mark should run 2 times
