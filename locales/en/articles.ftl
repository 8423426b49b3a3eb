article-title-missing = Give it a title.
article-body-missing = Write something in the body.
article-too-long = Too long: { $most } characters at most, and this has { $length }.
article-body-too-long = The body is too long: { $kilobytes } KB at most. Split it into several articles.
article-format-unknown = The body is either Markdown or HTML.
article-url-wrong = Enter a whole address that begins with http:// or https://.
article-tags-too-many = { $most } tags at most.
article-lang-wrong = That is no language tag; zh-Hans, zh-Hant and en are.
article-slug-taken = Another article of this account has or had this address. Choose another.
article-conflict = Somebody saved this article while you were editing. Look at the new version and make your change again.
article-delete-drafts-only = Only a draft that was never published can be deleted. Withdraw a published article instead.
article-is-published = This article is published already.
article-is-not-published = This article is not published.
article-is-withdrawn = This article was withdrawn. Reinstate it to make it public again.
article-time-past = Choose a time that is still to come.
article-time-too-far = Choose a time within a year.
article-time-wrong = Enter a date and time that exist.
article-reason-too-long = 500 characters at most.
article-edited-here = The article was edited here, so the change at its source was not taken over.
article-withdrawn = This article was withdrawn by its publisher.
article-withdrawn-because = This article was withdrawn by its publisher: { $reason }

# States and lists
article-states = By state
article-state-draft = Draft
article-state-scheduled = Scheduled
article-state-published = Published
article-state-withdrawn = Withdrawn
article-list-empty-title = Nothing here
article-list-empty-text = Look under another state, or write something new.
article-untitled = (untitled)
article-will-publish = goes out { $time }
article-published-at = published { $time }
article-changed-at = changed { $time }
article-words = { $count ->
    [one] 1 word
   *[other] { $count } words
}

# The editor
article-new = New article
article-edit = Edit article
article-title = Title
article-digest = Digest
article-digest-hint = Left empty, the opening of the body is shown.
article-body = Body
article-body-hint = Markdown knows tables, footnotes, task lists and HTML. Players of video sites become links.
article-format = Body format
article-lang = Language
article-author = Author line
article-tags-hint = Parted by commas, 10 at most.
article-cover = Address of a cover picture
article-original-url = Address of the original
article-slug = Address of the article
article-slug-hint = Left empty, it is made from the title. Changed later, the old address leads to the new one.
article-note = What changed
article-note-hint = Kept with the revision; readers do not see it unless you tick a box below.
article-save-draft = Save draft
article-save-published = Save and update
article-publish-next = Publish…
article-preview = Preview
article-preview-notice = A preview; nothing is saved. Close this page to go on editing.
article-view = View article
article-draft-saved-at = Saved as a draft at { $time }
article-autosaved-at = Kept at { $time }
article-unsaved = There are unsaved changes from { $time } ({ $name }).
article-unsaved-behind = The article has been saved since.
article-restore = Restore
article-discard = Discard
article-restored = The unsaved changes are back. Save them if they are right.
article-not-saved = Not saved: correct what is marked below.
article-read-only = You may read this article, but your role does not let you change it.
article-conflict-title = Somebody saved first
article-conflict-text = While you were editing, this article was saved at { $time }. Compare yours with the present version, bring them together in yours and save, or give yours up.
article-conflict-mine = Yours
article-conflict-theirs = The present version
article-conflict-keep-mine = Save mine
article-conflict-keep-theirs = Give mine up

# Publishing, scheduling, withdrawing, deleting
article-publish-title = Publish
article-incomplete = Not yet: an article needs a title and a body.
article-edit-again = Go on editing
article-publish-now-title = Now
article-publish-now-hint = Everyone can read and find it. Subscribers are not told.
article-publish-now = Publish now
article-schedule-title = Later
article-schedule-time = Time
article-schedule-zone = In your time zone, { $zone }
article-schedule = Schedule
article-reschedule = Change the time…
article-unschedule = Take off the schedule
article-withdraw-title = Withdraw
article-withdraw = Withdraw
article-withdraw-text = Readers of “{ $title }” will be told that it was withdrawn, and nobody finds it any more. It can be reinstated at any time.
article-withdraw-reason = Reason
article-withdraw-reason-hint = Shown to readers; may be left empty.
article-reinstate = Reinstate
article-delete-title = Delete draft
article-delete = Delete
article-delete-text = “{ $title }” cannot be brought back once it is deleted.
article-delete-untitled = This draft cannot be brought back once it is deleted.
flash-article-saved = Saved.
flash-article-revised = Saved; readers see the new version.
flash-article-published = Published.
flash-article-scheduled = Scheduled; it will go out by itself.
flash-article-unscheduled = Taken off the schedule; it is a draft again.
flash-article-withdrawn = Withdrawn.
flash-article-reinstated = Reinstated.
flash-article-deleted = The draft is deleted.
flash-article-discarded = The unsaved changes are discarded.

# Revisions
article-revisions = Revisions
article-revisions-count = Revisions ({ $count })
article-revisions-empty-title = No revisions yet
article-revisions-empty-text = Once an article is published, each save is kept here.
article-revision = Version
article-revision-number = Version { $number }
article-revision-time = Time
article-revision-editor = Editor
article-revision-imported = imported
article-revision-source = Markdown source
article-publish-push = Publish and push…
article-publish-push-hint = “Publish and push” publishes first, then shows who will be told and the mail; nothing is sent until you confirm.
flash-article-published-not-pushed = Published. Nothing is sent yet: take a last look, then push.
article-push = Push…
article-play = Play. The video comes from { $site }, which then learns of your visit.

# What changed since publication
article-note-show = Show this note to readers
article-note-show-hint = As a correction, below the article and in its list of changes.
changes-title = Changes
changes-of = Changes to “{ $title }”
changes-none-title = Unchanged since it was published
changes-none-text = Should this article be edited, each change is listed here.
changes-correction = Correction
changes-same = { $count ->
    [one] (one paragraph unchanged)
   *[other] ({ $count } paragraphs unchanged)
}
changes-unread = The words are the same; pictures, links, tags or formatting changed.
changes-removed = removed:
changes-added = added:
changes-back = Back to the article
changes-older = Earlier changes
