# edge: task_done
import queue
import threading


class Meal:
    cooked = False


def cook(meals):
    meal = meals.get()
    meal.cooked = True
    meals.task_done()


meal = Meal()
meals = queue.Queue()
thread = threading.Thread(target=cook, args=(meals,))
thread.start()
meals.put(meal)
meals.join()
print(meal.cooked)
thread.join()
