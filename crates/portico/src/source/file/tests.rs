//! Files that change, as editors and ConfigMaps change them.

use std::fs;
use std::future::Future;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::Reading;
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::source::Library;
use crate::source::file::follow;

/// The harness's patience; nothing here takes a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// Files that are followed.
struct Followed {
    receiver: watch::Receiver<Arc<Reading>>,
    task: JoinHandle<()>,
}

impl Followed {
    fn new(input: &Path) -> Self {
        let library = Library::open(vec![input.to_owned()]);
        let (sender, receiver) = watch::channel(Arc::new(library.reading()));
        let task = tokio::spawn(follow(library, sender, Arc::new(Notify::new())));
        Self { receiver, task }
    }

    /// Waits until these are the targets; then returns what else there is to say.
    async fn targets(&mut self, expected: &[&str]) -> Vec<String> {
        let waited = self.receiver.wait_for(|reading| names(reading) == expected);
        let reading = patiently(waited).await.unwrap().clone();
        reading.diagnostics.iter().map(ToString::to_string).collect()
    }

    /// Waits until nothing is wrong.
    async fn no_diagnostics(&mut self) {
        let is_good = |reading: &Arc<Reading>| reading.diagnostics.is_empty();
        patiently(self.receiver.wait_for(is_good)).await.unwrap();
    }

    /// Waits until some diagnostic holds `text`; then returns the targets.
    async fn diagnostic(&mut self, text: &str) -> Vec<String> {
        let holds = |reading: &Arc<Reading>| {
            reading.diagnostics.iter().any(|diagnostic| diagnostic.to_string().contains(text))
        };
        let reading = patiently(self.receiver.wait_for(holds)).await.unwrap().clone();
        names(&reading).into_iter().map(ToOwned::to_owned).collect()
    }
}

fn names(reading: &Reading) -> Vec<&str> {
    reading.document.targets.iter().map(|target| target.name.as_str()).collect()
}

async fn patiently<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happened")
}

fn document(name: &str) -> String {
    format!("targets:\n- name: {name}\n  url: http://127.0.0.1:1/mcp\n")
}

#[tokio::test]
async fn a_file_that_is_written_again_is_read_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portico.yaml");
    fs::write(&file, document("one")).unwrap();
    let mut followed = Followed::new(&file);
    assert_eq!(followed.targets(&["one"]).await, Vec::<String>::new());
    fs::write(&file, document("two")).unwrap();
    followed.targets(&["two"]).await;
}

#[tokio::test]
async fn a_file_that_an_editor_replaces_is_read_again() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portico.yaml");
    fs::write(&file, document("one")).unwrap();
    let mut followed = Followed::new(&file);
    for name in ["two", "three"] {
        let draft = folder.path().join(".portico.yaml.swp");
        fs::write(&draft, document(name)).unwrap();
        fs::rename(&draft, &file).unwrap();
        followed.targets(&[name]).await;
    }
}

#[tokio::test]
async fn a_config_map_that_swaps_its_link_is_read_again() {
    let folder = TempDir::new().unwrap();
    let version = |name: &str| {
        let version = folder.path().join(format!("..{name}"));
        fs::create_dir(&version).unwrap();
        fs::write(version.join("portico.yaml"), document(name)).unwrap();
        let next = folder.path().join("..data_tmp");
        symlink(format!("..{name}"), &next).unwrap();
        fs::rename(&next, folder.path().join("..data")).unwrap();
    };
    version("one");
    symlink("..data/portico.yaml", folder.path().join("portico.yaml")).unwrap();
    for input in [folder.path().to_owned(), folder.path().join("portico.yaml")] {
        let mut followed = Followed::new(&input);
        let first = names(&followed.receiver.borrow())[0].to_owned();
        let second = format!("{first}-next");
        version(&second);
        followed.targets(&[&second]).await;
    }
}

#[tokio::test]
async fn a_broken_file_keeps_its_last_good_contents_and_says_where_it_is_broken() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portico.yaml");
    fs::write(&file, document("one")).unwrap();
    let mut followed = Followed::new(&file);
    fs::write(&file, "targets:\n- name: [\n").unwrap();
    assert_eq!(followed.diagnostic("portico.yaml:").await, ["one"]);
    fs::remove_file(&file).unwrap();
    assert_eq!(followed.diagnostic("cannot be read").await, ["one"]);
    fs::write(&file, document("two")).unwrap();
    assert_eq!(followed.targets(&["two"]).await, Vec::<String>::new());
}

#[tokio::test]
async fn files_come_into_a_folder_and_go() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("b.yaml"), document("b")).unwrap();
    fs::write(file("notes.txt"), "not: ours").unwrap();
    let mut followed = Followed::new(folder.path());
    followed.targets(&["b"]).await;
    fs::write(file("a.json"), r#"{"mcpServers":{"a":{"url":"http://127.0.0.1:1/mcp"}}}"#).unwrap();
    followed.targets(&["a", "b"]).await;
    fs::remove_file(file("b.yaml")).unwrap();
    followed.targets(&["a"]).await;
}

#[tokio::test]
async fn a_folder_that_was_away_and_one_that_takes_its_place_are_followed() {
    let place = TempDir::new().unwrap();
    let folder = |name: &str| place.path().join(name);
    fs::create_dir(folder("live")).unwrap();
    fs::write(folder("live").join("a.yaml"), document("one")).unwrap();
    let mut followed = Followed::new(&folder("live"));
    followed.targets(&["one"]).await;

    fs::rename(folder("live"), folder("away")).unwrap();
    assert_eq!(followed.diagnostic("folder cannot be read").await, ["one"]);
    fs::rename(folder("away"), folder("live")).unwrap();
    followed.no_diagnostics().await;
    fs::write(folder("live").join("a.yaml"), document("two")).unwrap();
    followed.targets(&["two"]).await;

    fs::create_dir(folder("next")).unwrap();
    fs::write(folder("next").join("a.yaml"), document("three")).unwrap();
    fs::rename(folder("live"), folder("away")).unwrap();
    fs::rename(folder("next"), folder("live")).unwrap();
    followed.targets(&["three"]).await;
    fs::write(folder("live").join("a.yaml"), document("four")).unwrap();
    followed.targets(&["four"]).await;
}

#[tokio::test]
async fn a_link_to_a_folder_that_is_set_anew_is_followed() {
    let place = TempDir::new().unwrap();
    let folder = |name: &str| place.path().join(name);
    for name in ["one", "two"] {
        fs::create_dir(folder(name)).unwrap();
        fs::write(folder(name).join("a.yaml"), document(name)).unwrap();
    }
    symlink("one", folder("live")).unwrap();
    let mut followed = Followed::new(&folder("live"));
    followed.targets(&["one"]).await;
    symlink("two", folder("next")).unwrap();
    fs::rename(folder("next"), folder("live")).unwrap();
    followed.targets(&["two"]).await;
}

#[tokio::test]
async fn the_task_ends_with_its_receiver() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("portico.yaml");
    fs::write(&file, document("one")).unwrap();
    let Followed { receiver, task } = Followed::new(&file);
    drop(receiver);
    patiently(task).await.unwrap();
}
