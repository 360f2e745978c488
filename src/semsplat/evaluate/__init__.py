"""Phase *evaluate*: predictions on disk, scores from disk.

In: a training, or the geometry, and the canonical scene.  Out: ``results/evaluate/{dataset}/{scene}
/{setting}/{seed}/`` with ``predictions/`` (matched by the names of views), ``scores.json`` and the
suite's ``results/metrics.json``; and ``results/evaluate/{dataset}/{scene}/features/{recipe}/{seed
or all}/`` with the scores of the 2-D features themselves.  `jobs` asks for every answer in
`answers/` and scores it; scores never touch a model: a protocol in `protocols/` judges cases made
from files.  A missing prediction counts as 0 and is reported: ``counts`` in every ``scores.json``
of a setting is {protocol: {"pairs", "missing"}}, how many pairs of a frame and a prompt, images, or
pairs of neighbours its scores are about, and how many of these lack a prediction; with ``train_``
those of the training views.  The formats of relevancy maps and of selections are told in
`relevancy_maps` and `selections`.
"""
