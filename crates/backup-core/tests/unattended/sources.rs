//! The source guard: an unmounted volume must not push out good backups.

use std::fs;

use backup_core::{Explain, Silent, create};

use crate::site::Site;

#[test]
fn an_empty_root_is_refused_until_somebody_says_that_it_is_meant() {
    let site = Site::new();
    for entry in fs::read_dir(site.root()).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let refused = site.try_create().unwrap_err();
    assert_eq!(refused.code(), "source_shrunken");
    assert!(refused.hint().unwrap().contains("--allow-shrunken"));
    assert_eq!(site.ids(), []);

    let mut options = site.options();
    options.allow_shrunken = true;
    create(&options, &Silent).unwrap();
    // It was empty in the last complete backup: that is how it is.
    site.create();

    // A root that is new beside it is judged by itself.
    let mut options = site.options();
    fs::create_dir(site.path("media")).unwrap();
    options.files.insert("media".into(), site.path("media"));
    let refused = create(&options, &Silent).unwrap_err();
    assert_eq!(refused.code(), "source_shrunken");
    assert!(refused.to_string().contains("media"), "{refused}");
}

#[test]
fn how_much_may_go_is_configurable() {
    let site = Site::new();
    site.create();
    fs::remove_file(site.root().join("one")).unwrap();
    let mut options = site.options();
    options.source_guard.keep_percent = 90;
    let refused = create(&options, &Silent).unwrap_err();
    assert_eq!(refused.code(), "source_shrunken");
    options.source_guard.keep_percent = 60;
    create(&options, &Silent).unwrap();
}

#[test]
fn a_backup_that_goes_elsewhere_is_held_against_the_sites_repository() {
    let site = Site::new();
    site.create();
    for name in ["one", "two", "three"] {
        fs::remove_file(site.root().join(name)).unwrap();
    }
    let mut options = site.options();
    options.destination = backup_core::Destination::Path(site.path("elsewhere.tar.gz"));
    options.site_repository = Some(site.path("backups"));
    assert_eq!(
        create(&options, &Silent).unwrap_err().code(),
        "source_shrunken"
    );
    options.allow_shrunken = true;
    let record = create(&options, &Silent).unwrap();
    let noted = site.noted();
    assert_eq!(noted.last(), Some(&format!("create {} success", record.id)));
}
