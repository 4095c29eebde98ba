# One rule for every stage. Its config is results/RUN/chain.json, written by lib.cli: the resolved stages,
# their edges, and the stages to bring up to date. A stage that is up to date has its mark in .chain/ already;
# the others run in order, several at a time, here or wherever a profile sends them. ($PPID: who watches over it.)

rule all:
    input: expand(".chain/{stage}", stage=config["targets"])


rule stage:
    input: lambda wildcards: [f".chain/{name}" for name in config["stages"][wildcards.stage]["inputs"]]
    output: touch(".chain/{stage}")
    threads: config["threads"]
    resources: gpu=lambda wildcards: config["stages"][wildcards.stage]["gpu"]
    shell: "cd {config[root]:q} && exec {config[python]:q} -m lib.pipeline.run_stage {config[run]:q} {wildcards.stage:q} {threads} $PPID"
