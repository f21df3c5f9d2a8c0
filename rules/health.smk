# What the data sets of a run share. Data sets and maps have reports of their own, made where they are read.
rule leakage:
    input:
        manifests=rules.datasets.input,
    output:
        csv=f"{OUT}/health/leakage.csv",
        json=f"{OUT}/health/leakage.json",
        markdown=f"{OUT}/health/leakage.md",
    log:
        f"{OUT}/logs/health/leakage.log",
    benchmark:
        f"{OUT}/benchmarks/health/leakage.jsonl"
    conda:
        "../environment.yml"
    threads: RUN.threads
    params:
        code=code("leakage.py"),
        trained=RUN.trained_and_tested,
        known=RUN.known_leaks,
    script:
        "../workflow_scripts/leakage.py"


# Raises the errors of the report, which is a rule of its own so that it is there to be read.
rule no_leakage:
    input:
        report=rules.leakage.output.json,
    output:
        mark=touch(f"{OUT}/health/no_leakage"),
    log:
        f"{OUT}/logs/health/no_leakage.log",
    conda:
        "../environment.yml"
    params:
        code=code("no_leakage.py"),
    script:
        "../workflow_scripts/no_leakage.py"


UNCLEARED = [
    name for name in RUN.trained_and_tested if not Path(cleared(name)).exists()
]

# A training waits for the comparison of the data sets, but one that is made anew must not train again. So the rule of a
# mark that is there does not exist. `ancient` would not do: if a job's ancient input is to be made anew, Snakemake 9.27
# overlooks every other reason to run that job and those below it.
if UNCLEARED:

    rule cleared:
        input:
            report=rules.leakage.output.json,
        output:
            mark=touch(f"{OUT}/health/cleared/{{trained}}"),
        log:
            f"{OUT}/logs/health/cleared/{{trained}}.log",
        wildcard_constraints:
            trained=any_of(UNCLEARED),
        conda:
            "../environment.yml"
        script:
            "../workflow_scripts/no_leakage.py"
