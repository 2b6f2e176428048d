"""Python code whose bytecode tests/unit/race/symbolic_code_test.cc analyses.

tests/tools/dump_bytecode.py turns it into bytecode-VERSION.json, a file for each interpreter. A line's
comment says what some instruction on it is found to be:

    #: KIND read|write TARGET [PATTERN]     KIND is attribute, container or variable

Several are separated by `;`. Without a PATTERN there is none. A target in C's hands (an argument that
a function changes) is a read: the code alone does not tell.
"""


class Stats:
    def increment(self):
        self.hits += 1  #: attribute read self.hits lost-update; attribute write self.hits lost-update

    def in_steps(self):
        old = self.hits  #: attribute read self.hits lost-update
        new = old + 1
        self.hits = new  #: attribute write self.hits lost-update

    def through_a_function(self, score):
        self.best = max(self.best, score)  #: attribute read self.best lost-update; attribute write self.best lost-update

    def grow(self, x):
        self.items = self.items + [x]  #: attribute write self.items lost-update; attribute read self.items lost-update

    def grow_in_place(self, x):
        self.items += [x]  #: attribute write self.items lost-update; container write self.items

    def conditional(self, fast):
        value = self.hits if fast else self.misses  #: attribute read self.hits lost-update; attribute read self.misses
        self.hits = value  #: attribute write self.hits lost-update

    def in_a_loop(self, numbers):
        total = self.total  #: attribute read self.total lost-update
        for number in numbers:  #: container read numbers
            total += number
        self.total = total  #: attribute write self.total lost-update

    def of_another_object(self, other):
        self.hits = other.hits + 1  #: attribute read other.hits; attribute write self.hits

    def of_another_attribute(self):
        self.hits = self.misses  #: attribute read self.misses; attribute write self.hits

    def overwritten_local(self):
        value = self.hits  #: attribute read self.hits
        value = 3
        self.hits = value  #: attribute write self.hits

    def lazily(self):
        if self.connection is None:  #: attribute read self.connection check-then-act
            self.connection = make()  #: attribute write self.connection check-then-act
        return self.connection  #: attribute read self.connection

    def lazily_inverted(self):
        if self.connection is not None:  #: attribute read self.connection check-then-act
            return self.connection
        self.connection = make()  #: attribute write self.connection check-then-act
        return None

    def once(self):
        if not self.done:  #: attribute read self.done check-then-act
            self.done = True  #: attribute write self.done check-then-act

    def nested_test(self, really):
        if self.done:  #: attribute read self.done check-then-act
            if really:
                self.done = False  #: attribute write self.done check-then-act

    def one_of_two_tests(self, force):
        if self.done or force:  #: attribute read self.done check-then-act
            self.done = False  #: attribute write self.done check-then-act

    def after_the_test(self):
        if self.verbose:  #: attribute read self.verbose
            print("verbose")
        self.verbose = False  #: attribute write self.verbose

    def bounded_count(self):
        if self.hits < 10:  #: attribute read self.hits check-then-act
            self.hits += 1  #: attribute write self.hits lost-update

    def by_hasattr(self):
        if not hasattr(self, "cache"):  #: attribute read self.cache check-then-act
            self.cache = {}  #: attribute write self.cache check-then-act

    def delete(self):
        if self.cache:  #: attribute read self.cache check-then-act
            del self.cache  #: attribute write self.cache check-then-act

    def poll(self):
        while not self.stop:  #: attribute read self.stop
            work()

    def forever(self):
        while True:
            if self.jobs:  #: container read self.jobs check-then-act; attribute read self.jobs
                self.jobs.pop()  #: container write self.jobs check-then-act

    def on_the_dict(self):
        self.__dict__["hits"] += 1  #: attribute read self.hits lost-update; attribute write self.hits lost-update

    def shared_list(self):
        self.log.append(1)  #: container write self.log; attribute read self.log

    def alias(self, key):
        cache = self._cache
        if key not in cache:  #: container read self._cache[key] check-then-act
            self._cache[key] = make()  #: container write self._cache[key] check-then-act

    def bound_method(self, key):
        get = self._cache.get
        self._cache[key] = get(key, 0) + 1  #: container read self._cache[key] lost-update; container write self._cache[key] lost-update


def computed_name(meter, name):
    setattr(meter, name, getattr(meter, name, 0) + 1)  #: attribute read meter.(name) lost-update; attribute write meter.(name) lost-update


def two_computed_names(meter, name, other):
    setattr(meter, name, getattr(meter, other, 0) + 1)  #: attribute read meter.(other); attribute write meter.(name)


def through_vars(account):
    vars(account)["balance"] += 2  #: attribute read account.balance lost-update; attribute write account.balance lost-update


def item(d, k):
    d[k] += 1  #: container read d[k] lost-update; container write d[k] lost-update


def item_of_a_call(d, k):
    d[k.lower()] = d[k.lower()] + 1  #: container read d[k.lower()] lost-update; container write d[k.lower()] lost-update


def item_by_get(d, k):
    d[k] = d.get(k, 0) + 1  #: container read d[k] lost-update; container write d[k] lost-update


def item_of_another_key(d, k, j):
    d[k] = d[j] + 1  #: container read d[j]; container write d[k]


def item_of_the_next_key(d, k):
    d[k + 1] = d[k]  #: container read d[k]; container write d[k + 1]


def next_id(ids, name):
    ids[name] = len(ids)  #: container read ids lost-update; container write ids[name] lost-update


def elements(items):
    items[3] = items[3] * 2  #: container read items[3] lost-update; container write items[3] lost-update


def counting_key(items):
    i = 0
    i += 1
    items[i] = items[0]  #: container read items[0]; container write items[i]


def matrix(rows, i, j):
    rows[i][j] += 1  #: container write rows[i][j] lost-update; container read rows[i]


def setdefault_alone(d, k):
    if d.setdefault(k, 1) == 1:  #: container write d[k]
        work()


def if_not_in(d, k, v):
    if k not in d:  #: container read d[k] check-then-act
        d[k] = v  #: container write d[k] check-then-act


def if_not_in_another(d, e, k, v):
    if k not in d:  #: container read d[k]
        e[k] = v  #: container write e[k]


def if_in_delete(d, k):
    if k in d:  #: container read d[k] check-then-act
        del d[k]  #: container write d[k] check-then-act


def get_is_none(d, k):
    v = d.get(k)  #: container read d[k] check-then-act
    if v is None:
        v = d[k] = make()  #: container write d[k] check-then-act
    return v


def early_return(d, k):
    if k in d:  #: container read d[k] check-then-act
        return d[k]
    d[k] = make()  #: container write d[k] check-then-act
    return d[k]


def only_reads(d, k):
    if k in d:  #: container read d[k]
        return d[k]  #: container read d[k]
    return None


def if_len(q):
    if len(q) > 0:  #: container read q check-then-act
        return q.pop()  #: container write q check-then-act
    return None


def if_true(items):
    if items:  #: container read items check-then-act
        items.pop()  #: container write items check-then-act


def while_true(q):
    while q:  #: container read q check-then-act
        q.pop(0)  #: container write q check-then-act


def while_len_in_a_loop(queues):
    for q in queues:  #: container read queues
        while len(q) > 1:  #: container read q check-then-act
            q.pop(0)  #: container write q check-then-act


def if_in_list(items, x):
    if x in items:  #: container read items[x] check-then-act
        items.remove(x)  #: container write items[x] check-then-act


def c_function(heap):
    if heap[0] > 3:  #: container read heap[0]
        heappop(heap)  #: container read heap


def pop_and_put_back(q):
    x = q.pop()  #: container write q
    if x:
        q.append(x)  #: container write q


def pop_from_the_middle(q):
    return q.pop(0)  #: container write q


def else_branch(items):
    if items:  #: container read items check-then-act
        work()
    else:
        items.append(1)  #: container write items check-then-act


def both_branches(items):
    if items:  #: container read items check-then-act
        items.append(1)  #: container write items check-then-act
    else:
        items.append(2)  #: container write items check-then-act


def with_a_handler(d, k):
    try:
        return d[k]  #: container read d[k]
    except KeyError:
        d[k] = make()  #: container write d[k]
        return d[k]  #: container read d[k]
    finally:
        d.pop(None)  #: container write d


def with_a_lock(lock, d, k):
    with lock:
        if k not in d:  #: container read d[k] check-then-act
            d[k] = 1  #: container write d[k] check-then-act


def iterations(d, items):
    for _ in items:  #: container read items
        pass
    for _, _ in d.items():  #: container read d
        pass
    for _, _ in enumerate(items):  #: container read items
        pass
    return [x for x in sorted(items)]  #: container read items


def iterate_and_change(items):
    for x in items:  #: container read items
        if x:
            items.remove(x)  #: container write items[x]


def takes_from(total, items):
    total.extend(items)  #: container write total; container read items from list.iterate


def joined(items):
    return ",".join(items)  #: container read items


def mapped(items):
    return map(str, items)  #: container read items


def slices(items):
    items[1:] = items[:-1]  #: container read items lost-update from list.slice; container write items lost-update from list.setslice


def unpacked(pair):
    a, b = pair  #: container read pair
    return [*pair, a, b]  #: container read pair


def formatted(items):
    return f"{items}"  #: container read items


def star_call(items):
    return work(*items)


total = 0
count = 0


def globals_too():
    global total, count
    total += 1  #: variable read total lost-update; variable write total lost-update
    if count == 0:  #: variable read count check-then-act
        count = 1  #: variable write count check-then-act


def by_globals():
    globals()["total"] += 1  #: attribute read globals().total lost-update; attribute write globals().total lost-update


def make_counter():
    n = 0

    def increment():
        nonlocal n
        n = n + 1  #: variable read n lost-update; variable write n lost-update
        return n  #: variable read n

    return increment


def node_walk(node):
    while node:
        old = node.count  #: attribute read node.count
        node = node.next
        node.count = old  #: attribute write node.next.count


def list_head(stack, node):
    stack.head = stack.head.next  #: attribute read stack.head lost-update; attribute write stack.head lost-update


def generator(items):
    for x in items:  #: container read items
        yield x
        items.append(x)  #: container write items


async def coroutine(lock, d):
    async with lock:
        d["n"] = d["n"] + await work()  #: container read d['n'] lost-update; container write d['n'] lost-update


def matched(d):
    match d:
        case {"kind": "a"}:
            d["kind"] = "b"  #: container write d['kind'] check-then-act


def long_arguments(d, k):
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = 1
    d[b7] = d[b7] + a0  #: container read d[1] lost-update; container write d[1] lost-update
    return a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6


def work(*arguments):
    return arguments


def make():
    return object()


def heappop(heap):
    return heap
