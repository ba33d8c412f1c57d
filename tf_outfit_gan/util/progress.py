"""Progress of long work: a bar with a rate and the time left on a terminal, nothing in a log."""

from contextlib import contextmanager


@contextmanager
def progress(description, total, unit, quiet=False):
    """Yields `advance(count=1)`; draws with rich, which Keras already depends on."""
    # rich takes a tenth of a second to import: only programs that draw a bar pay for it.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn(f"{unit}, {{task.fields[rate]}}"), TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(description, total=total, rate="")

        def advance(count=1):
            bar.advance(task, count)
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.1f}/s" if speed else "")

        yield advance
