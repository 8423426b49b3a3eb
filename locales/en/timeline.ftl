timeline-title = Timeline
timeline-all = All
timeline-unread = Unread
timeline-whole = All accounts
timeline-beside = Lists and accounts
timeline-of-tag = Tag “{ $tag }”
timeline-has-unread = has unread articles
timeline-mark-read = Mark as read
timeline-mark-unread = Mark as unread
timeline-mark-above = Mark these and all above as read
timeline-mark-all = Mark everything as read
timeline-since = { $count ->
    [one] The one above is new since your last visit
   *[other] The { $count } above are new since your last visit
}
timeline-empty-title = Nothing here yet
timeline-empty-text = Subscribe to an account, and its articles appear here, newest first.
timeline-all-read-title = All read
timeline-all-read-text = There is nothing new. Earlier articles are under "All".
timeline-nothing-title = No articles
timeline-nothing-text = There are no articles in this part of the timeline.
timeline-further-down = Nothing of this kind in this stretch. There may be more further down.
timeline-hidden = { $count ->
    [one] One article is hidden by your mute words.
   *[other] { $count } articles are hidden by your mute words.
}
timeline-hidden-show = Show them
timeline-hidden-shown = Articles with your mute words are shown too.
timeline-hidden-hide = Hide them again
timeline-mute-title = Mute words
timeline-mute-intro = Articles with one of these words in title, summary or tags stay off your timeline and do not count as unread. You can show them at any time.
timeline-mute-words = One word a line
timeline-mute-hint = Either script will do; Latin words and numbers must be whole ones. Up to { $most } words of { $letters } characters.
timeline-mute-too-many = There can be { $most } words at most.
timeline-mute-too-long = “{ $word }…” is too long: { $most } characters at most.
timeline-mute-empty = There is nothing to look for in “{ $word }”.
flash-timeline-read = Marked as read.
flash-timeline-muted = Your mute words are saved.

# Keys
keys-title = Keys
keys-move = Next, previous
keys-open = Open the article
keys-open-aside = Open in a new tab
keys-mark = Mark as read or unread
keys-save = Save or remove
keys-reload = Reload
keys-help = Show the keys
keys-close = Close
