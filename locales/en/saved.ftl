# Saved articles
saved-title = Saved
saved-intro = Articles are kept as you saw them: whatever the account changes or withdraws later, your copy stays.
saved-save = Save
saved-is-saved = Saved
saved-empty-title = Nothing saved yet
saved-empty-text = Choose “Save” on an article, the timeline or in search results, and the article stays here.
saved-none-title = Nothing found
saved-none-text = None of your saved articles holds this. Simplified and Traditional find each other.
saved-search = Search in saved articles
saved-found = { $count ->
    [one] One article found.
   *[other] { $count } articles found.
}
saved-on = saved { $date }
saved-copy = Your copy
saved-original = See it as it is now
saved-changed = The article has been changed since you saved it. Here it is as it was.
saved-refresh = Bring the copy up to date
saved-gone = The article was withdrawn or is no longer public. This is how it was when you saved it, for you alone.
saved-gone-short = no longer public
saved-remove = Remove
saved-remove-title = Remove it from your saved articles?
saved-remove-text = { $count ->
    [one] Your copy goes for good, with one highlight in it.
   *[other] Your copy goes for good, with { $count } highlights in it.
}
saved-notes = { $count ->
    [one] one highlight
   *[other] { $count } highlights
}
saved-export = Export
saved-export-all = Export all
saved-export-hint = An e-book (EPUB) for your reader, Markdown and HTML for your archive, with your highlights and notes.
saved-export-book = Saved articles of { $name }
saved-export-too-many = { $most } articles at a time at most; these are the ones saved last.
saved-all = All saved articles
saved-too-many = You can save { $most } articles at most. Remove some first.
flash-saved-article = Saved.
flash-saved-removed = Removed from your saved articles.
flash-saved-refreshed = Your copy is up to date.

# Highlights and notes
highlight-title = Highlights and notes
highlight-intro = Select text to highlight it, or paste a passage here.
highlight-new = Add a highlight
highlight-quote = Passage
highlight-note = Note
highlight-add = Highlight
highlight-save-note = Save the note
highlight-remove = Delete
highlight-lost = This passage is no longer in your copy. It is kept for you here.
highlight-empty = Paste a passage of the article.
highlight-too-long = A highlight has { $most } characters at most.
highlight-note-too-long = A note has { $most } characters at most.
highlight-not-there = This passage is not in your copy. Paste it as it stands there.
highlight-too-many = There can be { $most } highlights in one article at most.
flash-highlight-added = Highlighted.
flash-highlight-noted = Your note is saved.
flash-highlight-removed = The highlight is gone.
