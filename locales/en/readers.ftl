# Cadences
cadence = How you are told
cadence-change = Change
cadence-instant = At once
cadence-daily = Once a day
cadence-weekly = Once a week
cadence-muted = Not by mail

# A reader's hours
reader-hours-title = Digests and quiet hours
reader-hours-intro = For all mail to { $email }. Digests bring what is new in one mail, at the hour you choose.
reader-next = Next digest: { $time }
reader-cadence = New subscriptions
reader-zone-guess = Your browser says it is in another zone. Use it:
reader-hour = Digests come at
reader-weekday = Weekly digests come on
reader-quiet = Quiet hours
reader-quiet-label = Send no mail in these hours
reader-quiet-hint = What would be told at once waits until they end. Digests come at their own hour.
reader-quiet-from = From
reader-quiet-until = Until
reader-with-seen = Also tell me what I have had on my timeline
reader-with-seen-hint = Otherwise a digest begins where you last looked at your timeline. Articles that you opened are left out in any case.
reader-hour-wrong = Choose an hour from 0 to 23.
reader-quiet-wrong = Quiet hours end at another hour than they begin.
reader-weekday-wrong = Choose a day of the week.
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday

# Behind the links of digests
reader-manage-title = Your subscriptions
reader-manage-intro = What { $email } follows, and how it is told.
reader-manage-hint = This page is yours alone: whoever has its address can change your subscriptions.
reader-manage = Manage subscriptions
reader-accounts = Accounts
reader-all = All at once:
reader-stop-title = Stop digests?
reader-stop-text = { $email } will get no more digests. These accounts send no mail then; you still follow them, and accounts that tell you at once go on:
reader-stop = Stop digests
reader-other-ways = Change when and how often instead
reader-stopped-title = No more digests
reader-stopped-text = { $email } gets no more digests. You still follow the accounts, and can choose anew for each at any time.
reader-none-text = { $email } gets no digests.

# Digests
digest-mail-daily = Daily digest
digest-mail-weekly = Weekly digest
digest-mail-subject = { $digest }: { $title }
digest-mail-subject-many = { $digest }: { $title } (and { $others } more)
digest-mail-heading = { $count ->
    [one] One new article
   *[other] { NUMBER($count) } new articles
} from { $accounts ->
    [one] one account
   *[other] { NUMBER($accounts) } accounts
}
digest-mail-since = Since you last looked at your timeline, { $time }
digest-mail-more-of = { NUMBER($count) } more of this account
digest-mail-more = See all, { NUMBER($count) } more
digest-mail-timeline = Read on the site
digest-mail-why = You get this digest because { $email } follows these accounts.
digest-mail-manage = Change when and how often
digest-mail-stop = Stop digests
