"""What has to be right before a GPU's results are believed: ``python -m semsplat.bench gpu``.

`steps` lists the steps, in their order, and what each is told; a step is a file with a ``check``.
`world` makes what they learn from, `trainings` trains as the workflow does, `run` asks all of them.
"""
