"""All measures by name, in the order in which they run."""

from collections.abc import Callable

from tests.benchmarks import hybrid_rows, quality_rows, speed_rows
from tests.benchmarks.bench import Bench

Measure = Callable[[Bench], None]

MEASURES: dict[str, Measure] = {
    "banking77": quality_rows.banking77,
    "banking77-hybrid": hybrid_rows.banking77_hybrid,
    "latency": speed_rows.latency,
    "model-file": speed_rows.model_file,
    "few-labels": quality_rows.few_labels,
    "names-only": quality_rows.names_only,
    "clinc150": quality_rows.clinc150,
    "clinc150-oos-share": quality_rows.clinc150_oos_share,
    "nlupp": quality_rows.nlupp,
    "star": quality_rows.star,
    "star-noise": quality_rows.star_noise,
    "star-joined": quality_rows.star_joined,
    "star-hybrid": hybrid_rows.star_hybrid,
    "throughput": speed_rows.throughput,
    "rules": speed_rows.rules,
    "worker-memory": speed_rows.worker_memory,
    "curekart": quality_rows.curekart,
    "xsid": quality_rows.xsid,
}
