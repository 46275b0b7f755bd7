"""A lake judged on a Dask cluster: one Prefect task per bucket, wherever the cluster has room.

The buckets, their files and `FILE.next` must be reachable from every worker under the same paths.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from prefect import Flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner

from crlm_pipeline.errors import SourceError, UsageError
from flows.annotating import LakeBucket, Told, judge_lake_bucket
from flows.defects import without_values

# A worker that dies takes its bucket with it; another one judges it again and writes the same.
RETRIES = 2


@task(name="judge-bucket", retries=RETRIES, cache_policy=NO_CACHE, persist_result=False)
def _judge(bucket: LakeBucket) -> Told:
    return without_values(judge_lake_bucket)(bucket)


def on_cluster(lake_buckets: Sequence[LakeBucket]) -> Iterable[Told]:
    """Judge buckets as tasks of the flow that runs, all at once as far as its task runner has room.

    Raises `SourceError` when the scheduler gives a bucket up, as it has had no worker for as long as it was told.
    """
    futures = [_judge.submit(bucket) for bucket in lake_buckets]
    return map(_result_of, futures)


def _result_of(future: PrefectFuture[Told]) -> Told:
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ != "NoWorkerError":  # by name, as the extra that has the class may not be installed
            raise
        raise SourceError("it has no worker left.", "Start workers and run again.", "the cluster") from None


def with_cluster(flow: Flow[Any, Any], scheduler: str | None) -> Flow[Any, Any]:
    """Return the flow so that its tasks run on the cluster of a Dask scheduler, given by its address; none: as it is.

    Raises `UsageError` where the extra `dask` is not installed.
    """
    if scheduler is None:
        return flow
    try:
        from prefect_dask.task_runners import DaskTaskRunner  # noqa: PLC0415  # an extra
    except ImportError:
        raise UsageError("A cluster needs the extra: pip install 'crlm-pipeline[dask]'.") from None
    runner: TaskRunner[Any] = DaskTaskRunner(address=scheduler)
    return flow.with_options(task_runner=runner)
