"""The reading room: finished runs copied into MLflow for people to browse.

In: ``run.json``, ``metrics.jsonl``, ``scores.json`` and the scene's manifest.  Out: one MLflow run
per result, folded under one parent per setting, and a stamp beside the index.  Nothing ever reads
from here; delete ``mlflow.db`` and ``mlruns/`` and the next run of the workflow fills them again.
"""
