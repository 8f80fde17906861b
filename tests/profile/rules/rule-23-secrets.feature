Feature: Rule 23: secrets are resolved where a job is carried out
  State, history, events and logs hold the reference. `$secrets` may be named in the arguments of jobs alone: anywhere else a secret would have to be
  written down.

  Scenario: a secret in what is kept is refused
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-23
      version: '1.0.0'
    use: { secrets: [ key ] }
    do:
      - leak: { set: { key: '${ $secrets.key }' } }
    """
    When the definition is published
    Then the definition should be refused with:
    """
    secrets
    """

  Scenario: a secret that the document does not declare is refused
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-23
      version: '1.0.0'
    do:
      - ask: { call: http, with: { method: get, endpoint: https://petstore.swagger.io/v2/pet/1, headers: { x-key: '${ $secrets.key }' } } }
    """
    When the definition is published
    Then the definition should be refused with:
    """
    secrets
    """
