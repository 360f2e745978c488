"""What one job is told: models of parameters, and nothing that reads them.

Each phase has a module of its own, so that a new key of one phase is no change of code for the
results of another.  The file ``params.yaml`` as a whole is `semsplat.experiment`'s.
"""
