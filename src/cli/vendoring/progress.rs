//! Shows on standard error what is being fetched: a spinner for each source on a terminal, plain lines elsewhere.

use crate::cli::output;
#[cfg(feature = "fetch")]
use crate::cli::screen::is_live;
use kfc_source::remote::{Event, Observer, Source};
use std::sync::Arc;

#[cfg(feature = "fetch")]
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Shows progress.
pub(in crate::cli) struct Progress {
    #[cfg(feature = "fetch")]
    bars: Option<MultiProgress>,
}

impl Progress {
    #[cfg(feature = "fetch")]
    pub(in crate::cli) fn new() -> Self {
        Self { bars: is_live().then(MultiProgress::new) }
    }

    #[cfg(not(feature = "fetch"))]
    pub(in crate::cli) fn new() -> Self {
        Self {}
    }

    /// Shows fetches from now on.
    #[cfg_attr(not(feature = "fetch"), expect(clippy::unused_self, reason = "as with the feature"))]
    pub(in crate::cli) fn observer(&self) -> Observer {
        #[cfg(feature = "fetch")]
        if let Some(bars) = self.bars.clone() {
            return bars_observer(bars);
        }
        Observer(Some(Arc::new(line)))
    }

    /// Removes the spinners.
    #[cfg_attr(not(feature = "fetch"), expect(clippy::unused_self, reason = "as with the feature"))]
    pub(in crate::cli) fn finish(&self) {
        #[cfg(feature = "fetch")]
        if let Some(bars) = &self.bars {
            // There is nowhere to report a closed terminal.
            drop(bars.clear());
        }
    }
}

fn line(source: &Source, event: Event) {
    let word = match event {
        Event::Started => return,
        Event::Done => "fetched",
        Event::Failed => "failed",
    };
    output::note(&format!("{word}  {source}"));
}

#[cfg(feature = "fetch")]
fn bars_observer(bars: MultiProgress) -> Observer {
    let running: std::sync::Mutex<std::collections::BTreeMap<Source, ProgressBar>> =
        std::sync::Mutex::default();
    let style = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    Observer(Some(Arc::new(move |source: &Source, event: Event| {
        let mut running = running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match (event, running.remove(source)) {
            (Event::Started, _) => {
                let bar = bars.add(ProgressBar::new_spinner().with_style(style.clone()));
                bar.set_message(source.to_string());
                bar.enable_steady_tick(std::time::Duration::from_millis(100));
                running.insert(source.clone(), bar);
            }
            (event, Some(bar)) => {
                bar.finish_and_clear();
                let word = if event == Event::Done { "fetched" } else { "failed" };
                drop(bars.println(format!("{word}  {source}")));
            }
            (_, None) => {}
        }
    })))
}
