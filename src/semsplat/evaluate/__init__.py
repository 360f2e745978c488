"""Phase *evaluate*: predictions on disk, scores from disk.

In: a trained run and the canonical scene.  Out: ``results/evaluate/{dataset}/{scene}/{setting}/
{seed}/`` with ``predictions/`` (one file per held-out view, matched by name), ``scores.json`` and
the suite's ``results/metrics.json``; and ``results/evaluate/{dataset}/{scene}/features/{recipe}/``
with the scores of the 2-D features themselves.  Scores never touch a model: `predict` writes
files, a protocol in `protocols/` reads them.  A missing prediction counts as 0 and is reported:
``counts`` in every ``scores.json`` of a setting is {protocol: {"pairs", "missing"}}, how many pairs
of a frame and a prompt, images, or pairs of neighbours its scores are about, and how many of these
lack a prediction; with ``train_`` those of the training views.
The formats of relevancy maps and of selections are told in `queries` and `selections`.
"""
