opml-title = Subscriptions at { $site }
opml-page-title = Import and export subscriptions
opml-intro = OPML is the list of subscriptions that reader apps understand: bring yours along, or take it with you.
opml-upload-title = Import
opml-file = OPML file
opml-file-hint = An .opml or .xml file from another reader, at most 2 MB and 2,000 feeds. Folders become lists.
opml-upload = Import
opml-download-title = Export
opml-download-text = The file holds all accounts that you follow, as their feeds, and your outside feeds; lists become folders.
opml-download = Download subscriptions.opml
opml-taken = You follow { $accounts } more accounts and { $feeds } more outside feeds.
opml-known = { $count ->
    [one] { $count } you followed before.
   *[other] { $count } you followed before.
}
opml-soon = Items of outside feeds come within a few minutes.
opml-failed = { $count ->
    [one] { $count } was not taken
   *[other] { $count } were not taken
}
opml-file-missing = Choose a file.
opml-form-broken = The file did not arrive whole. Try again.
opml-too-long = The file is too large: 2 MB at most.
opml-not-opml = This is not an OPML file. Choose “export OPML” in the reader that it comes from.
opml-hostile = The file declares entities, which is not accepted for safety's sake.
opml-too-deep = There are too many folders within folders.
opml-too-many = The file names too many feeds: 2,000 at most.
opml-nothing = The file names no feeds.
