# Subscribing
subscription-subscribe = Subscribe
subscription-subscribe-title = Subscribe to { $name }
subscription-email = Email address
subscription-email-hint = You will get a letter to confirm. No sign-up needed, leave at any time with one click.
subscription-back-to = Back to { $name }
subscription-asked-title = Check your mailbox
subscription-asked-text = A letter from { $name } is on its way. Follow the link in it, and you are subscribed.
subscription-asked-hint = Nothing there after a few minutes? Look among unwanted mail, or check the address and try again.

# Confirming
subscription-confirm-title = Confirm your subscription
subscription-confirm-text = { $name } will write to { $email } when there is something new.
subscription-confirm-button = Confirm
subscription-confirm-hint = If you did not ask for this, close this page. Nothing will be sent.
subscription-link-expired = This link is too old. Subscribe again to get a new one.

# Managing
subscription-manage-title = Your subscription
subscription-manage-hint = This page is yours alone: whoever has its address can change your subscription.
subscription-list-title = Subscriptions
subscription-list-intro = The accounts you follow, and how they tell you.
subscription-list-empty-title = You follow nobody yet
subscription-list-empty-text = Open an account's page and subscribe. New articles come to your mailbox and your timeline.
subscription-status-pending = Waits for you to confirm the address
subscription-status-instant = Told by mail at once
subscription-status-daily = One mail a day
subscription-status-weekly = One mail a week
subscription-status-muted = On the timeline only
subscription-status-paused = Paused
subscription-status-ended = You have left
subscription-refused = Mail to this address has stopped, because it was refused: { $words }
subscription-pause = Pause
subscription-resume = Resume
subscription-leave = Unsubscribe
subscription-rejoin = Subscribe again
subscription-other-ways = Pause or change instead
subscription-leave-title = Unsubscribe?
subscription-leave-text = { $name } will no longer write to { $email }.
subscription-left-title = You are unsubscribed
subscription-left-text = { $name } will no longer write to { $email }. You can come back at any time.
subscription-nothing-left = Nothing is kept of this subscription, and no mail will come of it.

flash-subscription-begun = You are subscribed.
flash-subscription-confirmed = Thank you, you are subscribed.
flash-subscription-instant = You will be told at once.
flash-subscription-daily = You will get one digest a day.
flash-subscription-weekly = You will get one digest a week.
flash-subscription-muted = No more mail. New articles are on your timeline.
flash-subscription-paused = Paused. You will be told nothing until you resume.
flash-subscription-resumed = Resumed.
flash-subscription-left = You are unsubscribed.
flash-subscription-rejoined = Welcome back, you are subscribed again.

# Letters
subscription-letter-confirm-subject = Confirm your subscription to { $name }
subscription-letter-confirm-intro = Somebody, hopefully you, wants to get new articles of { $name } at this address. Confirm it with one click:
subscription-letter-confirm-button = Confirm the subscription
subscription-letter-confirm-note = The link is good for 7 days. If it was not you, ignore this letter: you will hear nothing more.
subscription-letter-already-subject = You are subscribed to { $name } already
subscription-letter-already-intro = Somebody, hopefully you, wanted to subscribe this address to { $name }. It is subscribed already, so there is nothing to do. You can change, pause or leave here:
subscription-letter-already-button = Manage the subscription
subscription-letter-already-note = If it was not you, ignore this letter: nothing has changed.

# API
subscription-state-wrong = Only active and paused can be set; to leave, delete the subscription.
