push = Push
push-new = New push
push-when = Time
push-state = State
push-channel = Channel
push-older = Older
pushes-last = Latest pushes
pushes-none = No pushes yet
pushes-none-text = Once articles are published, push them to your subscribers.
push-state-fanning-out = Preparing
push-state-sending = Sending
push-state-sent = Sent
push-finished = finished { $time }
push-choose-intro = Choose 1 to { $count } published articles. Each article is pushed once.
push-nothing = Nothing to push
push-nothing-text = Publish an article first.
push-to-last-look = Next: a last look
push-keep-choice = Keep the choice and look further
push-last-look = A last look
push-last-look-intro = A push cannot be taken back. Check the articles, their order and who is told.
push-readers = Who is told
push-people = { $count ->
    [one] one reader
   *[other] { $count } readers
}
push-nobody = Nobody would be told at once. The articles still appear on subscribers' timelines.
push-not-told = These are not told at once:
push-order = Articles and their order
push-up = Move up
push-up-title = Move up: { $title }
push-mail = The mail
push-mail-from = From
push-mail-subject = Subject
push-mail-html = See the whole mail
push-send = Push to { $count ->
    [one] one reader
   *[other] { $count } readers
}
push-change-choice = Choose again
push-told = Who was told
push-nobody-told = Nobody has been told yet.
push-log = Reader by reader
push-log-all = All
push-log-delivered = Told
push-log-waiting = Waiting
push-log-failed = Failed
push-log-suppressed = Not sent
push-log-attempts = attempt { $count }
push-log-quiet = Waits for the end of quiet hours, { $time }
push-log-masked = Your role sees masked addresses.
push-log-reader = Reader
push-log-answer = The other server's words
push-log-empty = Nothing here.
push-log-more = Next page
push-articles-none = Choose at least one article.
push-articles-many = A push has at most { $most } articles.
push-article-missing = Some of these articles are not in this account. Please choose again.
push-article-not-published = Only published articles can be pushed. Publish first: { $titles }
push-articles-pushed = These articles were pushed already: { $titles }
push-key-reused = This key was used for another push. Please take a last look again.
flash-push-sent = The push is on its way.
flash-push-known = This push was submitted before; nobody is told twice.
push-stop = Stop
push-resume = Go on
push-again = { $count ->
    [one] Send the failed one again
   *[other] Send { $count } failed ones again
}
push-stopped = Stopped
push-stop-late = Everybody has been told; there is nothing left to stop.
push-again-none = Nothing has failed.
push-far = { $done } of { $total } done
push-rate = { $rate } a second
push-left-seconds = about { $count } s left
push-left-minutes = about { $count } min left
push-left-hours = about { $count } h left
push-provider = Channel and provider
push-sum = All
push-rest = The mail server takes no mail now. Nothing is lost: it is tried again after { $time }. It said:
push-pause = { $provider } asked us to come back later, after { $time }:
push-untold = Subscribers who get nothing now:
push-untold-and = {", "}
push-untold-pending = { $count } have not confirmed their address
push-untold-paused = { $count } have paused
push-untold-muted = { $count } read on their timeline only
push-untold-daily = { $count } get one mail a day
push-untold-weekly = { $count } get one mail a week
push-live = These figures are kept up to date.
push-reload = Reload
push-log-find = Find an address or an answer
flash-push-stopped = The push has stopped. The few messages that are being handed over still arrive.
flash-push-resumed = The push goes on.
flash-push-again = The failed messages are being sent again.
