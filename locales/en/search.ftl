search-title = { $query } – search
search-description = Search the articles of all accounts here by words, an exact phrase, account, author or date; Simplified and Traditional are found together.
search-hint = Words, or "an exact phrase"
search-narrow = Narrow down
search-from = Published from
search-to = Published until
search-lang = Language
search-lang-zh = Chinese
search-any = any
search-apply = Apply
search-order = Order
search-relevance = Best first
search-newest = Newest first
search-oldest = Oldest first
search-pages = Pages of results
search-first = First page
search-next = More results
search-end = There are no more results.
search-total = { $count ->
    [one] One article
   *[other] { NUMBER($count) } articles
} in { $ms } ms.
search-near = None has all of your words as they stand; these come close.
search-exact = { $count ->
    [one] The first has all of your words as they stand.
   *[other] The first { NUMBER($count) } have all of your words as they stand.
}
search-relaxed = Nothing holds exactly what is quoted. These articles hold parts of it.
search-partial = Not all articles could be looked at this time, so there may be more. Fewer or rarer words help, or trying again.
search-also = Much the same in
search-none-title = Nothing found
search-none-text = Try fewer or other words, leave out quotation marks, or widen the filters. Simplified and Traditional characters find each other.
search-start-title = Search every article
search-start-text = Words apart by spaces must all be there. Simplified and Traditional characters find each other. You can also write:
search-example-phrase = "Long March"
search-help-phrase = exactly so
search-example-not = typhoon -Hong
search-help-not = without "Hong"
search-example-or = typhoon OR storm
search-help-or = one of them will do
search-example-title = title:typhoon
search-help-title = in the title
search-example-from = from:@handle
search-help-from = one account only, by its handle or name
search-example-author = author:name tag:weather
search-help-author = the author, a tag
search-example-date = after:2024-01 before:2025
search-help-date = from January 2024, and before 2025
search-example-has = has:image lang:zh-Hant
search-help-has = with an image, video, audio or table; in a language
search-building-title = Search will be back in a moment
search-building-text = The index is being built. Please try again shortly.
search-bad-date = Write a date such as 2026-01-31, 2026-01 or 2026.
search-bad-sort = The order must be relevance, newest or oldest.
search-bad-limit = The limit must be a whole number.
search-bad-cursor = This page of results no longer exists. Please search again.
search-bad-has = This must be image, video, audio or table.
search-bad-scope = This must be subscriptions.
search-sign-in = Sign in to search your subscriptions.
search-in-subscriptions = My subscriptions only
search-in-account = Search { $name }
search-facet-time = Published
search-facet-accounts = Accounts
search-facet-langs = Languages
search-facet-has = With
search-has-image = image
search-has-video = video
search-has-audio = audio
search-has-table = table
search-bar = { $period }: { $count ->
    [one] one article
   *[other] { NUMBER($count) } articles
}
search-feed = Follow this search
search-feed-title = { $query } – search on { $site }
search-read = How your search was read
search-take-out = Take out: { $part }
search-read-or = {" "}or{" "}
search-read-not = not { $part }
search-read-quoted = “{ $value }”
search-read-phrase = exactly { $value }
search-read-title = in the title: { $value }
search-read-author = by { $value }
search-read-tag = tagged { $value }
search-read-from = from { $value }
search-read-from-nobody = from “{ $value }” (there is no such account)
search-read-after = since { $date }
search-read-before = before { $date }
search-read-until = until { $date }
search-read-in-period = published in { $date }
search-read-lang = in { $value }
search-read-has = with { $value }
search-note-not-a-date = There is no date in “{ $part }”, so it was read as text. Write 2026-01-31, 2026-01 or 2026.
search-note-not-a-language = There is no known language in “{ $part }”, so it was read as text.
search-note-not-a-part = “{ $part }” was read as text. It may be image, video, audio or table.
search-note-not-an-account = There is no account in “{ $part }”, so it was read as text.
search-note-cut = The search was too long; the rest of it was left out.
search-note-others = “{ $part }” also finds what means the same: { $others }. Put it in quotation marks to leave that out.

# Suggestions under the search box
suggest-account = Account
suggest-tag = Tag
suggest-query = Frequent search
suggest-title = Article
suggest-meant = Did you mean:
suggest-instead = Nothing was found for “{ $query }”. These are results for “{ $proposal }”.

# What readers looked for
insight-title = Searches
insight-privacy = Counted by day only: no user, session or address is kept. A reader’s repeated search counts once a day; rare searches are deleted after a week, the others after 90 days.
insight-period = Period
insight-days = { NUMBER($count) } days
insight-none-title = No searches yet
insight-none-text = When readers search, this is brought up to date every half minute.
insight-top = Most frequent
insight-not-found = Searches that found nothing
insight-found-all = All of them found articles.
insight-query = Search
insight-searches = Times
insight-empty = Found nothing
insight-clicks = Opened
insight-ranks = Opened results by rank
insight-rank = Rank
insight-share = Share
insight-account = Searches within this account.
