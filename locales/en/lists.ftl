# A reader's lists of accounts
list-title = Lists
list-intro = Sort the accounts you follow into lists, and read them list by list beside the timeline.
list-edit = Edit lists
list-one = List
list-none = No list
list-put = Put in list
list-name = Name of the list
list-new = New list
list-new-hint = For example “Mornings”, “Home”, “Business”.
list-create = Make a list
list-rename = Rename
list-up = Up
list-down = Down
list-delete = Delete
list-sort = Sort your subscriptions
list-count = { $count ->
    [0] no accounts yet
    [one] one account
   *[other] { $count } accounts
}
list-name-wrong = A name has 1 to { $most } characters.
list-taken = You have a list of this name already.
list-too-many = There can be { $most } lists at most.
flash-list-created = The list is made.
flash-list-renamed = Renamed.
flash-list-moved = The order has changed.
flash-list-deleted = The list is gone. The subscriptions in it are still there.
flash-list-put = Done.
