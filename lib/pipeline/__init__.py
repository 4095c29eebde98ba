"""From parameter files to finished stages: pre-flight, the graph, sweeps, Snakemake, papermill."""
