# A reader's lists of accounts
list-title = 分組
list-intro = 把訂閱的公眾號分到幾組裡，在時間線旁按組閱讀。
list-edit = 編輯分組
list-one = 分組
list-none = 不分組
list-put = 放入
list-name = 分組名稱
list-new = 新分組
list-new-hint = 例如「早上讀」「家鄉」「財經」。
list-create = 建立分組
list-rename = 改名
list-up = 上移
list-down = 下移
list-delete = 刪除
list-sort = 給訂閱分組
list-count = { $count ->
    [0] 還沒有公眾號
   *[other] { $count } 個公眾號
}
list-name-wrong = 名稱須為 1 到 { $most } 個字。
list-taken = 已經有同名的分組。
list-too-many = 最多可以建 { $most } 個分組。
flash-list-created = 分組已建立。
flash-list-renamed = 已改名。
flash-list-moved = 順序已更改。
flash-list-deleted = 分組已刪除，其中的訂閱仍然保留。
flash-list-put = 已放好。
