# A reader's lists of accounts
list-title = 分组
list-intro = 把订阅的公众号分到几组里，在时间线旁按组阅读。
list-edit = 编辑分组
list-one = 分组
list-none = 不分组
list-put = 放入
list-name = 分组名称
list-new = 新分组
list-new-hint = 例如“早上读”“家乡”“财经”。
list-create = 建立分组
list-rename = 改名
list-up = 上移
list-down = 下移
list-delete = 删除
list-sort = 给订阅分组
list-count = { $count ->
    [0] 还没有公众号
   *[other] { $count } 个公众号
}
list-name-wrong = 名称须为 1 到 { $most } 个字。
list-taken = 已经有同名的分组。
list-too-many = 最多可以建 { $most } 个分组。
flash-list-created = 分组已建立。
flash-list-renamed = 已改名。
flash-list-moved = 顺序已更改。
flash-list-deleted = 分组已删除，其中的订阅仍然保留。
flash-list-put = 已放好。
