//! Lists for pip that are on web servers, or in the folder that a build without a network has instead.

use super::recorded::check_address;
use super::session::Session;

use buildkit_llb::{Differ, Output};
use sha2::{Digest as _, Sha256};

use crate::context::folder::NamedFolder;
use crate::context::tree::{content, loaded};
use crate::fetch_failure::{Failure, report};
use crate::gateway::error::BuildError;
use crate::gateway::fetch::fetch_all;
use condafront_graph::downloads::Addresses;
use condafront_graph::pip;
use condafront_input::file_path::Content;
use condafront_input::requirements::WebList;
use condafront_model::source::Diagnostic;
use condafront_step_spec::channel_folder::{FOLDER, HELP, PYPI};
use condafront_steps::install::is_web_page;

impl Session<'_> {
    /// The content of a list.
    ///
    /// # Errors
    /// A diagnostic at the line that names the list, if it cannot be downloaded or is not in the folder.
    pub(super) async fn web_list(&self, list: &WebList) -> Result<Vec<u8>, BuildError> {
        let path = path_in_folder(list);
        // Other environments and platforms of a build read the same.
        let known = self.so_far.list(&path);
        if let Some(data) = known.filter(|data| list.can_be(data)) {
            return Ok(data);
        }
        let found = match self.channel_folder().await? {
            Some(folder) => self.given_web_list(&folder, list).await,
            None => self.downloaded_web_list(list).await,
        };
        let data = match found {
            Err(BuildError::Diagnostic(error)) if error.locations.is_empty() => {
                let place = &list.location;
                return Err(error.at(&place.file, place.lines).into());
            }
            found => found?,
        };
        self.so_far.add_list(path, data.clone());
        Ok(data)
    }

    async fn downloaded_web_list(&self, list: &WebList) -> Result<Vec<u8>, BuildError> {
        let place = &list.location;
        let candidates = self.settings.mirrors.candidates(&list.url);
        for url in &candidates {
            check_address(url, Some(place.clone()))?;
        }
        let artifact = pip::web_list(list, self.options.no_cache());
        let artifacts = std::slice::from_ref(&artifact);
        let (mut addresses, patience) = (Addresses::new([candidates]), self.patience());
        let file = &place.file;
        fetch_all(self.bridge, artifacts, &mut addresses, file, patience).await?;
        let address = addresses.get(0);
        let download = artifact.download(address);
        let data = self.read_list(&download, &artifact.file_name, list).await?;
        let data = data.unwrap_or_default();
        if is_web_page(&data) {
            let url = address.url().clone();
            let failure = Failure::from_content(url, &data, data.len(), "", String::new());
            if let Some(error) = report(file, &[(&artifact.wanted, failure)]) {
                return Err(error.into());
            }
        }
        Ok(data)
    }

    async fn given_web_list(
        &self,
        folder: &NamedFolder,
        list: &WebList,
    ) -> Result<Vec<u8>, BuildError> {
        let path = path_in_folder(list);
        let paths = std::slice::from_ref(&path);
        let wrong =
            |what: &str| Diagnostic::new(format!("{FOLDER} {what} {}", list.url)).help(HELP);
        // Lists with the same size and time can differ.
        let found = match folder.files(paths, "lists for pip", Differ::None) {
            Some(files) => self.read_list(&files, &path, list).await?,
            None => None,
        };
        let data = found.ok_or_else(|| wrong("has no copy of the list at"))?;
        if !list.can_be(&data) {
            return Err(wrong("has another version of the list at").into());
        }
        Ok(data)
    }

    /// The file at `path`; `None` if there is none.
    async fn read_list(
        &self,
        from: &Output,
        path: &str,
        list: &WebList,
    ) -> Result<Option<Vec<u8>>, BuildError> {
        let reference = loaded(self.bridge, from).await?;
        let name = list.url.to_string();
        Ok(match content(self.bridge, &reference, path, &name).await? {
            Content::File(data) => Some(data),
            Content::Folder | Content::Nothing | Content::Unknown => None,
        })
    }
}

/// Where the folder of the target `channel` has a list. The path of an address may be a folder for another one.
fn path_in_folder(list: &WebList) -> String {
    let url = list.url.recorded_file();
    format!("{PYPI}/lists/{}", hex::encode(Sha256::digest(url.as_str())))
}
