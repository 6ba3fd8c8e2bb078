//! A database that a newer version has used: nobody touches it, and everybody who wanted to says what to do.

use testkit::databases;

use crate::harness::{Home, Ran, finish};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_by_the_server_and_by_commands_and_stays_as_it_is() {
    for database in databases().await {
        let (home, url) = (Home::new(), database.address());
        let run = |arguments: &[&str]| -> Ran {
            let mut command = home.command(arguments);
            command.env("KAICALLS_DATABASE_URL", &url);
            finish(command)
        };
        run(&["setup", "--email", "you@example.com", "--business", "Smith & Partners"]).ok();
        database.run_sql("INSERT INTO migrations (number) VALUES (9999)").await;
        let migrations = "SELECT number FROM migrations ORDER BY number";
        let before = database.numbers(migrations).await;
        for command in [&["serve"][..], &["users", "list"], &["jobs", "list"]] {
            let said = run(command).refused();
            assert!(
                said.contains("newer version") && said.contains("9999"),
                "{}: {command:?}: {said}",
                database.kind
            );
            assert_eq!(said.trim().lines().count(), 1, "{}: {command:?}: {said}", database.kind);
        }
        assert_eq!(database.numbers(migrations).await, before, "{}", database.kind);
    }
}
