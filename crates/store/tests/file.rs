//! One server per SQLite file, whatever it is called; and a file that lost its content is never begun afresh.

use std::path::Path;

use store::{DatabaseUrl, MasterKey, OpenError, Options, Platform, Store};

async fn open(path: &Path, exclusive: bool) -> Result<Platform, OpenError> {
    let mut options = Options::new(MasterKey::new([7; 32]));
    options.exclusive = exclusive;
    Store::open(&DatabaseUrl::SqliteFile(path.to_owned()), options).await
}

/// Refuses the file; gives the kind of the refusal and leaves the file as it was.
async fn refused(path: &Path) -> OpenError {
    let before = std::fs::read(path).expect("the file is there");
    let error = open(path, true).await.expect_err("it is refused");
    assert_eq!(std::fs::read(path).expect("the file is still there"), before, "{error}");
    error
}

#[tokio::test]
async fn a_second_server_is_refused_under_every_name_of_the_file_and_without_its_side_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kai.db");
    let server = open(&path, true).await.expect("the first server has it");
    let (symbolic, hard) = (folder.path().join("symbolic.db"), folder.path().join("hard.db"));
    std::os::unix::fs::symlink(&path, &symbolic).expect("a symbolic link");
    std::fs::hard_link(&path, &hard).expect("a hard link");
    for entry in std::fs::read_dir(folder.path()).expect("the folder can be read") {
        let entry = entry.expect("an entry");
        if entry.file_name().to_string_lossy().ends_with(".lock") {
            std::fs::remove_file(entry.path()).expect("it can be deleted");
        }
    }
    for name in [&path, &symbolic, &hard] {
        let second = open(name, true).await;
        assert!(matches!(second, Err(OpenError::InUse(_))), "{}: {second:?}", name.display());
    }
    open(&path, false).await.expect("commands may work beside a server");
    server.health().await.expect("the first server goes on");
    drop(server);
    open(&symbolic, true).await.expect("after the first server, a second one has it");
}

#[tokio::test]
async fn a_file_that_lost_its_content_is_refused_with_the_remedy_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kai.db");
    std::fs::write(&path, b"").expect("an empty file");
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Empty(_)), "{error}");
    assert!(error.to_string().contains("backup") && error.to_string().contains("delete"), "{error}");

    std::fs::write(&path, b"Not a database, but more than a hundred bytes long. ".repeat(100))
        .expect("written");
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("backup"), "{error}");

    std::fs::remove_file(&path).expect("deleted");
    drop(open(&path, true).await.expect("a fresh database"));
    let whole = std::fs::metadata(&path).expect("it is there").len();
    let file = std::fs::File::options().write(true).open(&path).expect("it opens");
    file.set_len(whole / 2 / 4096 * 4096).expect("it is cut off");
    drop(file);
    let error = refused(&path).await;
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn the_database_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.db");
    let other = rusqlite::Connection::open(&path).expect("it can be made");
    other
        .execute_batch("CREATE TABLE songs (title TEXT); INSERT INTO songs VALUES ('Yesterday')")
        .expect("filled");
    drop(other);
    let error = open(&path, true).await.expect_err("it is refused");
    assert!(matches!(error, OpenError::Foreign(_)), "{error}");
    let other = rusqlite::Connection::open(&path).expect("it can still be read");
    let title = other.query_row("SELECT title FROM songs", (), |row| row.get::<_, String>(0));
    assert_eq!(title.as_deref(), Ok("Yesterday"));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_make_the_same_file_at_once_make_one_and_leave_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("deep").join("kai.db");
    // A link to a file that is not there yet, as in a container with a volume.
    let path = folder.path().join("kai.db");
    std::os::unix::fs::symlink("deep/kai.db", &path).expect("a symbolic link");
    let mut openers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let path = path.clone();
        openers.spawn(async move { open(&path, false).await.map(drop) });
    }
    while let Some(opened) = openers.join_next().await {
        opened.expect("no panic").expect("every one of them has a database");
    }
    let beside = std::fs::read_dir(target.parent().expect("a folder")).expect("it can be read");
    let names: Vec<_> = beside.map(|entry| entry.expect("an entry").file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".new")), "{names:?}");
    assert!(std::fs::metadata(&target).expect("it is there").len() > 0);
}
