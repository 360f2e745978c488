"""Fitting, shared by *geometry* and *train*: loop, schedules, losses, densification, state.

In: Gaussians, optimisers and an objective (a function of step and view that returns named losses).
Out: the fitted parameters and ``metrics.jsonl``.  Everything a killed run needs to continue lies in
one state file under ``scratch/``, replaced atomically; nothing here decides what is learned.
"""
