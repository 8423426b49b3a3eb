inbox-title = Inbox
inbox-intro = Articles pushed by accounts you follow, what your alerts found, and corrections of them. Kept for ninety days.
inbox-all = All
inbox-unread = Unread
inbox-is-unread = Unread
inbox-mark-all = Mark all as read
inbox-news = There is something new: reload
inbox-kind-push = Push
inbox-kind-alert = Alert
inbox-kind-correction = Correction
inbox-kind-withdrawal = Withdrawn
inbox-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
}
inbox-empty-title = Nothing yet
inbox-empty-text = Subscribe to an account or save a search as an alert, and new articles are told here.
inbox-all-read-title = All read
inbox-all-read-text = Nothing is unread.
flash-inbox-read = All marked as read.
nav-inbox = Inbox
article-correct = Tell readers who were told of this article
article-correct-hint = They see in their inbox what you write under "What changed".
article-correct-words-missing = Say what has changed: readers will see it.
