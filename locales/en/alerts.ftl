# Saving a search
alert-save-search = Tell me of new articles
alert-new = New alert
alert-new-title = Save a search and be told of new articles
alert-new-hint = Mail goes to { $email }, and each one stops with one click. Nobody but you sees what is saved here.
alert-query = Search for
alert-query-hint = As in the search box. You are told of articles that hold every word as it stands.
alert-reads = Reads as
alert-lately = { $count ->
    [one] One article of the last 30 days matches.
   *[other] { NUMBER($count) } articles of the last 30 days match.
}
alert-name = Name
alert-name-hint = Stands in the subject of its mails; left empty, it is the search itself.
alert-cadence = How to be told
alert-cadence-instant = At once, one mail for each article
alert-cadence-daily = Once a day, all in one mail
alert-cadence-weekly = Once a week, all in one mail
alert-save = Save
alert-query-empty = Write down what to look for.
alert-query-too-long = A search has at most { $most } characters.
alert-name-wrong = Enter a name of 1 to { $most } characters.
alert-cadence-missing = Choose how to be told.
alert-saved-already = You have saved this search already.
alert-too-many = A reader can save { $most } searches. Delete one that you no longer need.

# Settings
alert-list-title = Alerts
alert-list-intro = Each new article is matched against the searches you saved. What matches comes to { $email }.
alert-list-empty-title = No alerts yet
alert-list-empty-text = Search for something and choose “Tell me of new articles”.
alert-hits = { $count ->
    [one] 1 article found
   *[other] { NUMBER($count) } articles found
}
alert-waiting = { NUMBER($count) } in the next mail
alert-last-told = Last mail: { $date }
alert-never-told = No mail sent yet
alert-paused = Paused
alert-change = Change
alert-pause = Pause
alert-resume = Resume
alert-delete = Delete
flash-alert-saved = Saved. You will be told of new articles that match.
flash-alert-changed = Changed.
flash-alert-paused = Paused. You will be told nothing until you resume.
flash-alert-resumed = Resumed.
flash-alert-deleted = Deleted.

# The link in mails
alert-stop = Stop telling me
alert-stop-title = Stop this alert?
alert-stop-text = You will get no more mail about new articles for “{ $name }”. Your other alerts and subscriptions stay as they are.
alert-stopped-title = Stopped
alert-stopped-text = You will get no more mail about “{ $name }”. Your other alerts and subscriptions stay as they are.

# Mails
alert-mail-subject = { $name }: { $title }
alert-mail-subject-many = { $name }: { $title } (and { $others } more)
alert-mail-heading = Alert: { $name }
alert-mail-more = See all, { NUMBER($count) } more
alert-mail-all = See them on the site
alert-mail-why = You get this mail because you saved the search “{ $query }”.
alert-mail-stop = Stop this alert
alert-mail-manage = Manage alerts
