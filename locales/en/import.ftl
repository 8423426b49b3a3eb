import-intro = Connect the feed you already have and its new articles appear here by themselves. Importing never notifies subscribers.
import-address = Address of the feed
import-address-hint = An RSS, Atom or JSON Feed address. The site's front page will do: we look for its feed.
import-look = Have a look
import-empty-title = No sources yet
import-empty-text = Enter the address of a feed, look at its newest entries, then decide whether to connect it.
import-state-active = Working
import-state-new = Waiting for the first fetch
import-state-paused = Paused
import-state-gone = Closed by its site
import-state-failing = Failing
import-mode-publish-short = Published at once
import-mode-draft-short = Kept as drafts
import-entries = { $count ->
    [one] { $count } entry imported
   *[other] { $count } entries imported
}
import-last-success = Last fetched { $time }; { $count } new.
import-failures = Failed { $count } times in a row; we try less and less often.
import-next = Next fetch: { $time }
import-refresh-now = Fetch now
import-pause = Pause
import-resume = Resume
import-to-draft = Keep as drafts instead
import-to-publish = Publish at once instead
import-remove = Remove
import-remove-hint = It will not be fetched any more. Articles it brought stay.
import-remove-confirm = Remove this source
import-preview-title = A look at this feed
import-preview-intro = { $count ->
    [one] One entry.
   *[other] { $count } entries; the newest are shown.
}
import-feed-title = Name
import-untitled = (no name)
import-repaired = This feed has faults; we put right what we could. Please check what is shown below.
import-preview-empty-title = No entries at the moment
import-preview-empty-text = The address is fine, there is just nothing in it now. New entries will be imported once it is connected.
import-mode = New entries
import-mode-publish = Publish them at once (subscribers are not notified)
import-mode-draft = Keep them as drafts for a member to review
import-rights-hint = Connect only feeds that you have the right to republish.
import-connect = Connect
import-cancel = Cancel
import-choices-title = This site has several feeds
import-choices-intro = Choose one.
flash-source-connected = Connected; its entries are being fetched.
flash-source-refreshing = It is being fetched. Reload this page in a moment.
flash-source-paused = Paused.
flash-source-resumed = Resumed; it is being fetched.
flash-source-changed = Changed for entries to come.
flash-source-removed = Removed. The articles it brought are still there.
import-source-is-paused = This source is paused. Resume it first.
import-error-too-many-sources = This account has as many sources as it may have. Remove one first.
import-error-url = That is not a valid address. Check it and try again.
import-error-scheme = Only addresses that begin with http or https can be read.
import-error-credentials = The address must not contain a user name or password. Remove them and try again.
import-error-port = That port may not be read from. Use an ordinary web address.
import-error-private-address = That address is not on the public Internet and cannot be read.
import-error-unknown-host = There is no such site. Check the domain name.
import-error-connect = The server could not be reached. See whether the site opens.
import-error-timeout = The server was too slow to answer in full.
import-error-redirects = The address redirects too often. Enter the feed's final address.
import-error-forbidden = The server refuses us. Ask its administrator to let Xiangxun read the feed.
import-error-not-found = There is no feed at this address (404). Look for the present one on the site.
import-error-gone = The site says that this feed is closed for good (410), so we have stopped. Connect a new address.
import-error-too-many = The server asks us to come less often, and we will.
import-error-server = The server has a problem of its own.
import-error-status = The server gave an unexpected answer.
import-error-too-long = The feed is too large. Ask the site to keep fewer entries in it.
import-error-bomb = The content unpacks to far more than it should, so it was refused.
import-error-broken = What came was incomplete or broken.
import-error-empty = There is nothing at this address.
import-error-web-page = This is a web page, not a feed. Look for an RSS or Atom link on the site.
import-error-subscription-list = This is a list of subscriptions (OPML), not a feed. Enter the address of one of the feeds in it.
import-error-not-a-feed = What is at this address is not a feed. Check the address.
import-error-not-json-feed = This is JSON, but not a JSON Feed. Check the address.
import-error-nothing-inside = The feed has neither a name nor anything to import.
import-error-unreadable = The feed is damaged and cannot be read. Tell the site's administrator.
import-error-no-feed-on-page = This page names no feed. Ask the site for its RSS or Atom address.
import-error-internal = Something went wrong on our side. It has been noted; we will try again.
import-connected = Connected
import-covers = Covers kept here: { $kept }. { $refused ->
    [0] None was left out.
   *[other] Left where they are, because they cannot be fetched or are no pictures: { $refused }.
}
