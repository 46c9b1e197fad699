//! Lines in the progress that are neither a warning nor an error.

use super::client::Bridge;
use super::error::GatewayError;
use super::notice::notice;
use super::solving::Evaluate;
use condafront_model::visible::visible_line;

impl Bridge {
    /// Shows a line in the progress.
    ///
    /// # Errors
    /// Whatever BuildKit reports.
    pub(crate) async fn tell(&self, line: &str) -> Result<(), GatewayError> {
        let shown = notice(&visible_line(line));
        self.solve(shown, Evaluate::Now).await.map(drop)
    }
}
