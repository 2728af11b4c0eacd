"""Figures for Prometheus: requests, commands, the writer's queue and batches, the fund, what is overdue."""

import os
from collections.abc import Iterable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from houbao.core.terms import Refused
from houbao.engine.request import Outcome, Request
from houbao.store import funds
from houbao.store.lists import overdue, refund_seconds
from houbao.web.site import PART, Site
from houbao.web.together import TOGETHER

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
SIZES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "houbao_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "houbao_http_request_seconds",
            "From a request's first byte to its answer's last",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.commands = Counter(
            "houbao_commands", "Commands by what became of them", ["command", "outcome"], registry=self.registry
        )
        self.batch_size = Histogram(
            "houbao_batch_commands", "Commands in one transaction", buckets=SIZES, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "houbao_batch_seconds",
            "One batch, from taking the lock to being durable",
            buckets=SECONDS,
            registry=self.registry,
        )

        # To find a figure by its labels takes longer than to count: those that were found are kept.
        self._requests, self._seconds = cache(self.requests.labels), cache(self.seconds.labels)
        self._commands = cache(self.commands.labels)

    def note_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. Whatever is no method counts as one: names that senders make up are no labels."""
        method = method if method in METHODS else "other"
        self._requests(method, route, status).inc()
        self._seconds(method, route).observe(seconds)

    def note_commands(self, requests: Iterable[Request], outcomes: Iterable[Outcome]) -> None:
        """Commands were answered."""
        for request, outcome in zip(requests, outcomes, strict=True):
            name = str(request.command.__struct_config__.tag)
            what = outcome.code if isinstance(outcome, Refused) else "replayed" if outcome.replayed else "accepted"
            self._commands(name, what).inc()

    def note_batch(self, size: int, seconds: float) -> None:
        """A transaction ended."""
        self.batch_size.observe(size)
        self.batch_seconds.observe(seconds)

    def serve(self, site: Site) -> bytes:
        """All figures as text, with those that are read now. Where processes count together, they are those of all."""
        counted, now = self.registry, CollectorRegistry()
        if TOGETHER in os.environ:
            counted = CollectorRegistry()
            MultiProcessCollector(counted)
        now.register(Standing(site))
        return generate_latest(counted) + generate_latest(now)


class Standing(Collector):
    """What is read when it is asked for: the queue, the fund, what is overdue, how long refunds took."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def describe(self) -> list[Metric]:
        """Nothing in advance."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The figures of now."""
        yield GaugeMetricFamily("houbao_queue_commands", "Commands that wait", value=self.site.writer.waiting())
        with self.site.snapshot() as reading:
            held = funds.held(reading, PART)
            late = overdue(reading, PART, self.site.clock())
            took = refund_seconds(reading, PART)
        money = GaugeMetricFamily("houbao_fund_minor", "The fund, in minor units", labels=["currency", "account"])
        for one in held:
            for name in ("available", "reserved", "waiting_minor"):
                money.add_metric([one.currency, name.removesuffix("_minor")], getattr(one, name))
        yield money
        due = GaugeMetricFamily("houbao_overdue_disputes", "Due times that have passed", labels=["phase"])
        for phase, count in late.items():
            due.add_metric([phase], count)
        yield due
        refunds = GaugeMetricFamily(
            "houbao_time_to_refund_seconds", "From opening to money, the last 1,000 refunds", labels=["quantile"]
        )
        for quantile, at in (("0.5", 0.5), ("0.95", 0.95)):
            if took:
                refunds.add_metric([quantile], took[min(len(took) - 1, int(at * len(took)))])
        yield refunds
        if self.site.beat.at is not None:
            age = (self.site.wall() - self.site.beat.at).total_seconds()
            yield GaugeMetricFamily("houbao_worker_age_seconds", "Since the worker last ran", value=age)
