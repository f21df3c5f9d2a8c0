# What is not in place is downloaded or taken from the manual drop: rows of the registry files say from where.
# It runs where the workflow was started, since the nodes of a cluster seldom reach the internet.
rule obtain:
    output:
        f"{OUT}/obtained/{{address}}.json",
    log:
        f"{OUT}/logs/obtained/{{address}}.log",
    wildcard_constraints:
        address="(datasets|maps)/.+",
    localrule: True
    conda:
        "../environment.yml"
    script:
        "../workflow_scripts/obtain.py"
