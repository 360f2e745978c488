"""The experiment's parameters: `schema` says what may stand in ``params.yaml``, `check` refuses the
rest in one line per mistake, `runs` derives what a suite computes.  Nothing else reads the file.
"""
