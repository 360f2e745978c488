"""The experiment: ``params.yaml`` as a whole, and what follows from it.

`schema` says what may stand in the file, `check` refuses the rest in one line per mistake, `runs`,
`recipes` and `asked` derive which jobs a suite has and what each is told, `plan` what it takes.
Above all phases, whose kinds it names; nothing but the rules and the command line reads it.
"""
