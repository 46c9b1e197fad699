//! Which records are too new.

use rattler_conda_types::{
    MatchSpec, PackageName, ParseMatchSpecOptions, RepoDataRecord, RepodataRevision,
};
use rattler_solve::ExcludeNewer;

use super::repodata::Repodata;
use crate::install::error::{Error, ErrorKind, Result};
use condafront_model::cutoff::Cutoff;
use condafront_step_spec::solve::SolveSpec;

/// The cutoffs of a request.
///
/// Records are left out before the solver sees them. It would leave out the same ones, but only after it has settled
/// which channel a name belongs to: a name that a channel gets after the cutoff would change the answer.
pub(super) struct Dates(ExcludeNewer);

impl Dates {
    /// The cutoffs of `solve`, if it has any.
    ///
    /// # Errors
    /// An invalid MatchSpec.
    pub(super) fn of(solve: &SolveSpec, repodata: &[Repodata]) -> Result<Option<Self>> {
        let Some(asked) = &solve.exclude_newer else {
            return Ok(None);
        };
        let until = |cutoff: &Option<Cutoff>| {
            cutoff
                .as_ref()
                .map_or(jiff::Timestamp::MAX, |cutoff| cutoff.time())
        };
        let mut dates = ExcludeNewer::from_datetime(until(&asked.cutoff));
        for (index, cutoff) in &asked.channels {
            let Some(data) = repodata.iter().find(|data| data.channel == *index) else {
                continue;
            };
            let name = data.rattler_channel().canonical_name();
            dates = dates.with_channel_cutoff(name, until(cutoff));
        }
        for (name, cutoff) in &asked.by_name {
            #[expect(
                deprecated,
                reason = "an exemption cannot make a package's cutoff earlier, as manifests do"
            )]
            let with = dates.with_package_cutoff(PackageName::new_unchecked(name), until(cutoff));
            dates = with;
        }
        for (text, cutoff) in &asked.packages {
            let invalid = |error: &dyn std::error::Error| {
                Error::new(ErrorKind::BadArguments, format!("`{text}`: {error}"))
            };
            let spec = MatchSpec::from_str(
                text,
                ParseMatchSpecOptions::strict().with_repodata_revision(RepodataRevision::V3),
            )
            .map_err(|error| invalid(&error).caused_by(error))?;
            let exempt = match cutoff {
                Some(cutoff) => dates.with_exemption_until(spec, cutoff.time()),
                None => dates.with_exemption(spec),
            };
            dates = exempt.map_err(|error| invalid(&error).caused_by(error))?;
        }
        Ok(Some(Self(dates)))
    }

    /// Whether a record is not too new.
    pub(super) fn keep(&self, record: &RepoDataRecord) -> bool {
        !self.0.is_excluded(record)
    }

    /// The cutoff of a record's channel.
    pub(super) fn cutoff(&self, record: &RepoDataRecord) -> Cutoff {
        let name = &record.package_record.name;
        Cutoff::at(self.0.cutoff_for_package(name, record.channel.as_deref()))
    }
}
