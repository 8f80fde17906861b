Feature: Rule 24: a decision is one row, written once
  A row under (execution, sequence) is what decides between rivals: of two that decide on the same state one wins, the other reads again. Who owns a
  partition is only a hint for caches, and offsets move after the commit. Kills, cuts and take-overs are proved apart: `./weft prove kills`, `./weft
  prove failpoints`, `./weft prove takeover`.

  Scenario: what was suspended goes on where it was
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-24
      version: '1.0.0'
    do:
      - first: { set: { n: 1 } }
      - rest: { wait: PT0.3S }
      - last: { set: { n: '${ .n + 1 }' } }
    """
    When the workflow is executed
    And once rest has begun, the workflow is suspended
    And the workflow is resumed
    Then the workflow should complete with output:
    """yaml
    n: 2
    """
    And first should run 1 times
    And last should run 1 times
