//! The cells as OpenMetrics text, family by family in the order of [`names::ALL`](crate::names::ALL).
//!
//! A series appears once something fell into it. Label values are escaped by the encoder; the order
//! is stable, so that two scrapes can be compared.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use crate::cell::{Counter, Histogram};
use crate::metrics::{AdminRefusal, Cells, Metrics, Reload};
use crate::names::{self, Family, FamilyKind};
use crate::settled::OUTCOME_ORDER;
use crate::shed::Shed;
use crate::transport::{Cut, Handshake, Listener};
use crate::upstream::UpstreamCells;

const NANOS_PER_DOLLAR: f64 = 1e9;

impl Metrics {
    /// The media type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// Every family as OpenMetrics text, ended by `# EOF`.
    pub fn encode(&self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Exposition(Arc::clone(&self.cells))));
        let mut out = String::with_capacity(16 * 1024);
        // Writing to a `String` can't fail, and the collector returns no error of its own.
        let _ = text::encode(&mut out, &registry);
        out
    }
}

#[derive(Debug)]
struct Exposition(Arc<Cells>);

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out { encoder };
        calls(&mut out, &self.0)?;
        targets(&mut out, &self.0)?;
        process(&mut out, &self.0)
    }
}

fn calls(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    let all = cells.calls.all();
    out.family(&names::REQUESTS, |m| {
        for (labels, c) in &all {
            let [surface, route] = &labels.0;
            for (outcome, counters) in OUTCOME_ORDER.iter().zip(&c.requests) {
                for (stream, counter) in ["false", "true"].into_iter().zip(counters) {
                    let labels = [
                        ("surface", &**surface),
                        ("route", route),
                        ("outcome", outcome.name()),
                        ("stream", stream),
                    ];
                    counted(m, &labels, counter.get())?;
                }
            }
        }
        Ok(())
    })?;
    out.family(&names::ERRORS, |m| {
        cells.errors.all().iter().try_for_each(|(labels, counter)| {
            let [code, side] = &labels.0;
            counted(m, &[("code", &**code), ("side", side)], counter.get())
        })
    })?;
    out.family(&names::SHED, |m| {
        let mut reasons = Shed::ALL.iter().zip(&cells.shed);
        reasons.try_for_each(|(reason, counter)| {
            counted(m, &[("reason", reason.name())], counter.get())
        })
    })
}

fn targets(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    let (targets, failures) = (cells.targets.all(), cells.failures.all());
    out.family(&names::ATTEMPTS, |m| {
        for (labels, c) in &targets {
            let [provider, model] = &labels.0;
            counted(
                m,
                &[
                    ("provider", &**provider),
                    ("model", model),
                    ("result", "ok"),
                ],
                c.ok.get(),
            )?;
        }
        failures.iter().try_for_each(|(labels, counter)| {
            let [provider, model, class] = &labels.0;
            counted(
                m,
                &[
                    ("provider", &**provider),
                    ("model", model),
                    ("result", class),
                ],
                counter.get(),
            )
        })
    })?;
    spend(out, cells)?;
    out.family(&names::USAGE_FLAGS, |m| {
        for (labels, c) in &targets {
            let [provider, model] = &labels.0;
            for (flag, counter) in [
                ("estimated", &c.estimated),
                ("inconsistent", &c.inconsistent),
                ("unpriced", &c.unpriced),
            ] {
                counted(
                    m,
                    &[("provider", &**provider), ("model", model), ("flag", flag)],
                    counter.get(),
                )?;
            }
        }
        Ok(())
    })?;
    out.family(&names::FIRST_TOKEN, |m| {
        targets.iter().try_for_each(|(labels, c)| {
            let [provider, model] = &labels.0;
            timed(
                &mut m.encode_family(&[("provider", &**provider), ("model", model)])?,
                &c.first_token,
            )
        })
    })?;
    out.family(&names::DURATION, |m| {
        cells.calls.all().iter().try_for_each(|(labels, c)| {
            let [surface, route] = &labels.0;
            timed(
                &mut m.encode_family(&[("surface", &**surface), ("route", route)])?,
                &c.duration,
            )
        })
    })
}

fn spend(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    let all = cells.spend.all();
    for (family, tokens) in [(&names::TOKENS, true), (&names::UNITS, false)] {
        out.family(family, |m| {
            for (labels, c) in &all {
                let [provider, model, tenant] = &labels.0;
                for (meter, counter) in lintel_types::Meter::ALL.iter().zip(&c.meters) {
                    if (meter.is_input() || meter.is_output()) == tokens {
                        let labels = [
                            ("meter", meter.name()),
                            ("provider", provider),
                            ("model", model),
                            ("tenant", tenant),
                        ];
                        counted(m, &labels, counter.get())?;
                    }
                }
            }
            Ok(())
        })?;
    }
    out.family(&names::COST, |m| {
        all.iter().try_for_each(|(labels, c)| {
            let [provider, model, tenant] = &labels.0;
            let dollars = c.cost_nanos.get() as f64 / NANOS_PER_DOLLAR;
            let labels = [
                ("provider", &**provider),
                ("model", model),
                ("tenant", tenant),
            ];
            m.encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&dollars, None)
        })
    })
}

fn process(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    out.family(&names::OVERHEAD, |m| timed(m, &cells.overhead))?;
    out.counter(&names::REQUEST_BYTES, cells.request_bytes.get())?;
    out.counter(&names::RESPONSE_BYTES, cells.response_bytes.get())?;
    out.gauge(&names::IN_FLIGHT, cells.in_flight.get())?;
    out.gauge(&names::IN_FLIGHT_BYTES, cells.in_flight_bytes.get())?;
    out.gauge(&names::CONNECTIONS, cells.connections.get())?;
    out.counter(&names::CONNECTIONS_OPENED, cells.connections_opened.get())?;
    upstream(out, cells)?;
    transport(out, cells)?;
    let pending = cells
        .journal_pending
        .lock()
        .as_ref()
        .map_or(0, |read| read());
    out.gauge(
        &names::JOURNAL_PENDING,
        i64::try_from(pending).unwrap_or(i64::MAX),
    )?;
    out.counter(&names::ORPHANED, cells.orphaned.get())?;
    let hash = Arc::clone(&cells.config.lock());
    out.family(&names::CONFIG, |m| m.encode_info(&[("hash", &*hash)]))?;
    out.family(&names::BUILD, |m| {
        m.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    })?;
    out.family(&names::RELOADS, |m| {
        let mut ends = Reload::ALL.iter().zip(&cells.reloads);
        ends.try_for_each(|(end, counter)| counted(m, &[("result", end.name())], counter.get()))
    })?;
    out.family(&names::ADMIN_REFUSALS, |m| {
        let mut ends = AdminRefusal::ALL.iter().zip(&cells.admin_refusals);
        ends.try_for_each(|(end, counter)| counted(m, &[("reason", end.name())], counter.get()))
    })?;
    out.counter(&names::LINES_DROPPED, cells.lines_dropped.get())?;
    out.counter(&names::LINES_SUPPRESSED, cells.lines_suppressed.get())?;
    out.counter(&names::LINES_UNSAMPLED, cells.lines_unsampled.get())?;
    out.family(&names::FOLDED, |m| {
        let folded = [
            ("calls", cells.calls.folded()),
            ("connections", cells.upstream.folded()),
            ("errors", cells.errors.folded()),
            ("failures", cells.failures.folded()),
            ("spend", cells.spend.folded()),
            ("targets", cells.targets.folded()),
        ];
        folded
            .into_iter()
            .try_for_each(|(group, n)| counted(m, &[("group", group)], n))
    })?;
    machine(out, cells)
}

/// What the process has taken of its machine; families without a value where the system doesn't say.
fn machine(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    let process = cells.process.lock().as_ref().and_then(|read| read());
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let gauges = [
        (&names::RESIDENT, process.map(|p| p.resident_bytes)),
        (&names::OPEN_FILES, process.map(|p| p.open_files)),
        (&names::MAX_FILES, process.map(|p| p.max_files)),
        (&names::THREADS, process.map(|p| p.threads)),
    ];
    for (family, value) in gauges {
        out.family(family, |m| {
            value.map_or(Ok(()), |n| m.encode_gauge(&whole(n)))
        })?;
    }
    out.family(&names::STARTED, |m| {
        process.map_or(Ok(()), |p| m.encode_gauge(&p.started_seconds))
    })?;
    out.family(&names::CPU, |m| {
        process.map_or(Ok(()), |p| {
            m.encode_counter::<NoLabelSet, _, u64>(&p.cpu_seconds, None)
        })
    })
}

fn upstream(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    let all = cells.upstream.connections.all();
    out.family(&names::UPSTREAM, |m| {
        all.iter().try_for_each(|(labels, c)| {
            let [provider] = &labels.0;
            m.encode_family(&[("provider", &**provider)])?
                .encode_gauge(&c.open.get())
        })
    })?;
    for (family, counter) in [
        (
            &names::UPSTREAM_OPENED,
            (|c| &c.opened) as fn(&UpstreamCells) -> &Counter,
        ),
        (&names::UPSTREAM_REUSED, |c| &c.reused),
    ] {
        out.family(family, |m| {
            all.iter().try_for_each(|(labels, c)| {
                let [provider] = &labels.0;
                counted(m, &[("provider", &**provider)], counter(c).get())
            })
        })?;
    }
    out.family(&names::UPSTREAM_FAILED, |m| {
        let failed = cells.upstream.failed.all();
        failed.iter().try_for_each(|(labels, counter)| {
            let [provider, class] = &labels.0;
            counted(
                m,
                &[("provider", &**provider), ("class", class)],
                counter.get(),
            )
        })
    })
}

fn transport(out: &mut Out<'_>, cells: &Cells) -> fmt::Result {
    out.family(&names::CONNECTIONS_CUT, |m| {
        let mut rules = Cut::ALL.iter().zip(&cells.cuts);
        rules.try_for_each(|(rule, counter)| counted(m, &[("rule", rule.name())], counter.get()))
    })?;
    out.family(&names::HANDSHAKES, |m| {
        for (listener, ends) in Listener::ALL.iter().zip(&cells.handshakes) {
            for (end, counter) in Handshake::ALL.iter().zip(ends) {
                let labels = [("listener", listener.name()), ("result", end.name())];
                counted(m, &labels, counter.get())?;
            }
        }
        Ok(())
    })?;
    out.family(&names::CERTIFICATE, |m| {
        let until = *cells.certificates.lock();
        for (listener, until) in Listener::ALL.iter().zip(until) {
            if let Some(until) = until {
                m.encode_family(&[("listener", listener.name())])?
                    .encode_gauge(&until)?;
            }
        }
        Ok(())
    })
}

/// A series of a labelled counter; none before its first event.
fn counted(m: &mut MetricEncoder<'_>, labels: &impl EncodeLabelSet, n: u64) -> fmt::Result {
    if n == 0 {
        return Ok(());
    }
    m.encode_family(labels)?
        .encode_counter::<NoLabelSet, _, u64>(&n, None)
}

/// A histogram; none before its first event. The count is the buckets' own sum, so the two agree.
fn timed(m: &mut MetricEncoder<'_>, histogram: &Histogram) -> fmt::Result {
    let (sum, buckets) = histogram.read();
    match buckets.iter().map(|(_, n)| n).sum() {
        0 => Ok(()),
        count => m.encode_histogram::<NoLabelSet>(sum, count, &buckets, None),
    }
}

struct Out<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Out<'_> {
    fn family(
        &mut self,
        family: &Family,
        body: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let unit = family.unit.map(|u| Unit::Other(u.to_owned()));
        let kind = match family.kind {
            FamilyKind::Counter => MetricType::Counter,
            FamilyKind::Gauge => MetricType::Gauge,
            FamilyKind::Histogram => MetricType::Histogram,
            FamilyKind::Info => MetricType::Info,
        };
        body(
            &mut self
                .encoder
                .encode_descriptor(family.name, family.help, unit.as_ref(), kind)?,
        )
    }

    fn counter(&mut self, family: &Family, n: u64) -> fmt::Result {
        self.family(family, |m| m.encode_counter::<NoLabelSet, _, u64>(&n, None))
    }

    fn gauge(&mut self, family: &Family, n: i64) -> fmt::Result {
        self.family(family, |m| m.encode_gauge(&n))
    }
}
